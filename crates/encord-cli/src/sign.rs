//! `encord sign`.

use std::collections::BTreeSet;
use std::env;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::time::{Duration, SystemTime};

use encord_dev_store::sign::{Presign, Scheme, SignError, Signer};
use encord_http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde::Serialize;

use crate::args::{SchemeName, SignArgs};
use crate::dev_store::credentials;
use crate::output::{Exit, Failure, json, print};

/// A line of a manifest.
#[derive(Serialize)]
struct Line {
    path: String,
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
        print(|out| lines.iter().try_for_each(|line| json(out, line)))?;
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
    let line = |(path, name): (String, String)| {
        let url = sign(&format!("{base}/{}", escaped(&name)));
        Ok(Line { path, signed_url: url.map_err(|error| unsigned("--manifest", &error))? })
    };
    files(targets)?.into_iter().map(line).collect()
}

fn urls(targets: &[OsString], sign: impl Fn(&str) -> Result<String, SignError>) -> Result<Vec<String>, Failure> {
    let url = |(number, target): (u32, &OsString)| {
        // A URL may have a query that is a secret already, so the message has its number instead.
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

/// What would end the path of a URL; the signer encodes the rest.
fn escaped(name: &str) -> String {
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

/// All files below the targets, each with the name of its object.
fn files(targets: &[OsString]) -> Result<Vec<(String, String)>, Failure> {
    let mut files = Vec::new();
    for target in targets {
        walk(Path::new(target), &mut files)?;
    }
    if files.is_empty() {
        return Err(Failure::usage("there is no file in what was given"));
    }
    let mut names = BTreeSet::new();
    let mut objects = Vec::with_capacity(files.len());
    for path in files {
        let name = object_name(&path);
        let path = path.into_os_string().into_string();
        let path = path.map_err(|path| Failure::usage(format_args!("{}: is not UTF-8", path.display())))?;
        if !names.insert(name.clone()) {
            return Err(Failure::usage(format_args!("{path}: another file would be the same object, {name}")));
        }
        objects.push((path, name));
    }
    Ok(objects)
}

fn walk(path: &Path, files: &mut Vec<PathBuf>) -> Result<(), Failure> {
    let failed = |error: io::Error| Failure::usage(format_args!("{}: {error}", path.display()));
    if !fs::metadata(path).map_err(failed)?.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    let entries = fs::read_dir(path).and_then(Iterator::collect::<io::Result<Vec<_>>>).map_err(failed)?;
    let mut entries: Vec<PathBuf> = entries.into_iter().map(|entry| entry.path()).collect();
    entries.sort();
    for entry in entries {
        // A link to a folder above would never end.
        if !(entry.is_symlink() && entry.is_dir()) {
            walk(&entry, files)?;
        }
    }
    Ok(())
}

/// The path without `.`, `..` and the root, with `/` between its parts.
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
