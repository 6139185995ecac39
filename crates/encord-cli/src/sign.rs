//! `encord sign`.

use std::collections::BTreeSet;
use std::env;
use std::ffi::OsString;
use std::fmt;
use std::path::{Component, Path, PathBuf};
use std::time::{Duration, SystemTime};

use encord_dev_store::sign::{Presign, Scheme, SignError, Signer};
use encord_http::{HeaderMap, HeaderName, HeaderValue, Method};
use encord_upload::formats::PathAsJson;
use walkdir::WalkDir;

use crate::args::{SchemeName, SignArgs};
use crate::dev_store::credentials;
use crate::output::{Exit, Failure, print, say};

/// How many of the files that are left out are named.
const MAX_NAMED: u64 = 10;

/// A line of a manifest.
struct Line {
    path: PathBuf,
    signed_url: String,
}

pub(crate) fn run(args: &SignArgs) -> Result<Exit, Failure> {
    let scheme = match args.scheme {
        SchemeName::Gcs => Scheme::Gcs,
        SchemeName::S3 => Scheme::S3,
    };
    let signer = Signer::new(scheme, credentials(&args.key, |name| env::var_os(name))?);
    let method: Method = args.method.parse().map_err(|_| Failure::usage("--method is not a method of HTTP"))?;
    let headers = headers(&args.header)?;
    let (expires, at) = (Duration::from_secs(args.expires), SystemTime::now());
    let sign =
        |url: &str| signer.presign(&Presign { method: method.clone(), url, headers: headers.clone(), expires, at });
    if let Some(base) = &args.manifest {
        let lines = lines(base, &args.targets, sign)?;
        print(|out| {
            lines.iter().try_for_each(|Line { path, signed_url }| {
                let url = serde_json::Value::from(signed_url.as_str());
                writeln!(out, "{{\"path\":{},\"signed_url\":{url}}}", PathAsJson(path))
            })
        })?;
    } else {
        let urls = urls(&args.targets, sign)?;
        print(|out| urls.iter().try_for_each(|url| writeln!(out, "{url}")))?;
    }
    Ok(Exit::Done)
}

/// The lines of a manifest for all files below the targets.
fn lines(
    base: &str,
    targets: &[OsString],
    sign: impl Fn(&str) -> Result<String, SignError>,
) -> Result<Vec<Line>, Failure> {
    let base = base.trim_end_matches('/');
    if base.split_once("://").is_some_and(|(_, place)| !place.contains('/')) {
        let failure = Failure::usage("--manifest: the URL names no bucket");
        return Err(failure.with_hint("any will do, such as `dev` in http://127.0.0.1:9000/dev"));
    }
    let line = |(path, name): (PathBuf, String)| {
        let url = sign(&format!("{base}/{}", percent_encoded(&name)));
        Ok(Line { path, signed_url: url.map_err(|error| unsigned("--manifest", &error))? })
    };
    files(targets)?.into_iter().map(line).collect()
}

fn urls(targets: &[OsString], sign: impl Fn(&str) -> Result<String, SignError>) -> Result<Vec<String>, Failure> {
    let url = |(number, target): (u32, &OsString)| {
        // The message shows the number of the URL, because its query may be a secret.
        let place = format!("URL {number}");
        let url = target.to_str().ok_or_else(|| Failure::usage(format_args!("{place}: is not UTF-8")))?;
        sign(url).map_err(|error| {
            let failure = unsigned(&place, &error);
            let is_file = Path::new(target).exists();
            if is_file { failure.with_hint("files are signed with --manifest BASE-URL") } else { failure }
        })
    };
    (1..).zip(targets).map(url).collect()
}

fn unsigned(place: &str, error: &SignError) -> Failure {
    let place = if matches!(error, SignError::Expires(_)) { "--expires" } else { place };
    Failure::usage(format_args!("{place}: {error}"))
}

/// Encodes the characters that would end the path of a URL. The signer encodes the others.
fn percent_encoded(name: &str) -> String {
    name.replace('%', "%25").replace('?', "%3F").replace('#', "%23")
}

fn headers(lines: &[String]) -> Result<HeaderMap, Failure> {
    let mut headers = HeaderMap::new();
    for line in lines {
        let wrong = || Failure::usage("--header is written NAME: VALUE");
        let (name, value) = line.split_once(':').ok_or_else(wrong)?;
        let name: HeaderName = name.trim().parse().map_err(|_| wrong())?;
        let value = HeaderValue::from_str(value.trim()).map_err(|_| wrong())?;
        headers.append(name, value);
    }
    Ok(headers)
}

/// Returns all files below the targets, each with the name of its object. Reports the files that are left out.
fn files(targets: &[OsString]) -> Result<Vec<(PathBuf, String)>, Failure> {
    let (mut files, mut left_out) = (Vec::new(), LeftOut::default());
    for target in targets {
        for entry in WalkDir::new(target).follow_links(true).sort_by_file_name() {
            match entry {
                Ok(entry) if entry.file_type().is_dir() => {}
                // A path that was given as an argument is kept, so that it is an error if it cannot be used.
                Ok(entry) if entry.depth() == 0 || entry.file_type().is_file() => files.push(entry.into_path()),
                Ok(entry) => left_out.tell(entry.path(), &"it is no regular file"),
                Err(error) if error.depth() == 0 => return Err(Failure::usage(reason(&error, Path::new(target)))),
                Err(error) => left_out.tell(error.path().unwrap_or(Path::new(target)), &in_words(&error)),
            }
        }
    }
    let mut names = BTreeSet::new();
    files.retain(|path| {
        names.insert(object_name(path)) || {
            left_out.tell(path, &format_args!("another file is the same object, {}", object_name(path)));
            false
        }
    });
    left_out.finish();
    if files.is_empty() {
        return Err(Failure::usage("there is no file in what was given"));
    }
    Ok(files.into_iter().map(|path| (path.clone(), object_name(&path))).collect())
}

/// The number of files that are left out.
#[derive(Default)]
struct LeftOut(u64);

impl LeftOut {
    /// Reports a file that is left out. Only the first few are named.
    fn tell(&mut self, path: &Path, why: &dyn fmt::Display) {
        self.0 += 1;
        if self.0 <= MAX_NAMED {
            say(format_args!("warning: {} is left out: {why}", path.display()));
        }
    }

    fn finish(&self) {
        if self.0 > MAX_NAMED {
            say(format_args!("warning: {} files and folders are left out in all", self.0));
        }
    }
}

fn reason(error: &walkdir::Error, target: &Path) -> String {
    format!("{}: {}", target.display(), in_words(error))
}

fn in_words(error: &walkdir::Error) -> String {
    match (error.loop_ancestor(), error.io_error()) {
        (Some(ancestor), _) => format!("it is a link to a folder that it is in, {}", ancestor.display()),
        (None, Some(error)) => error.to_string(),
        (None, None) => error.to_string(),
    }
}

/// Returns the path without `.`, `..` and the root, with `/` between its parts.
fn object_name(path: &Path) -> String {
    let parts = path.components().filter_map(|part| match part {
        Component::Normal(part) => Some(part.to_string_lossy()),
        _ => None,
    });
    parts.collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_an_object_is_the_path_below_where_it_starts() {
        #[track_caller]
        fn check(path: &str, name: &str) {
            assert_eq!(object_name(Path::new(path)), name);
        }
        check("a.jpg", "a.jpg");
        check("./images/a b.jpg", "images/a b.jpg");
        check("../../x/a", "x/a");
        check("/tmp/a", "tmp/a");
    }

    #[test]
    fn headers_are_names_and_values() {
        let read = headers(&["Content-Type: image/jpeg".to_owned(), "x-goog-meta-a:b:c".to_owned()]).unwrap();
        assert_eq!(read["content-type"], "image/jpeg");
        assert_eq!(read["x-goog-meta-a"], "b:c");
        for wrong in ["", "a", "a b: c", ": c", "a: b\nc"] {
            let error = headers(&[wrong.to_owned()]).unwrap_err();
            assert_eq!(error.errors(), ["--header is written NAME: VALUE"]);
        }
    }
}
