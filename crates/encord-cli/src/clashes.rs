//! Checks that no output overwrites an input.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::output::Failure;
use crate::report::folder;

/// The first bytes of the outputs that this program writes.
const OUR_FIRST_BYTES: [&[u8]; 2] = [b"{\"index\":", b"{\"journal\":"];

/// The files that a run will write, as they are before it.
#[derive(Debug, Default)]
pub(crate) struct Outputs(Vec<Output>);

#[derive(Debug)]
struct Output {
    words: &'static str,
    path: PathBuf,
    place: Place,
    /// Whether an earlier run wrote the file. Such a file is almost never uploaded.
    is_ours: bool,
}

/// The place of a file, with all links resolved.
#[derive(Debug, PartialEq)]
struct Place {
    path: PathBuf,
    /// The device and inode of a file that exists.
    node: Option<(u64, u64)>,
}

impl Outputs {
    /// Adds an output. A pipe or device is ignored, because it overwrites nothing.
    ///
    /// # Errors
    ///
    /// Another output goes there.
    pub(crate) fn add(&mut self, words: &'static str, path: &Path) -> Result<(), Failure> {
        let Some(place) = Place::of(path) else { return Ok(()) };
        self.refuse(&place, &format_args!("the {words}"), words)?;
        let is_ours = place.node.is_some() && OUR_FIRST_BYTES.iter().any(|first| begins_with(path, first));
        self.0.push(Output { words, path: path.to_owned(), place, is_ours });
        Ok(())
    }

    /// Refuses an input that an output would overwrite.
    ///
    /// # Errors
    ///
    /// It is one of the outputs.
    pub(crate) fn refuse_input(&self, words: impl fmt::Display, path: &Path) -> Result<(), Failure> {
        Place::of(path).map_or(Ok(()), |place| self.refuse(&place, &format_args!("the {words} {}", path.display()), ""))
    }

    /// Returns the output that would overwrite this file of a manifest. Most files need no system call, because a run has many
    /// files.
    pub(crate) fn over(&self, file: &Path) -> Option<&'static str> {
        let candidates = self.0.iter().filter(|output| {
            output.place.node.is_some() && (!output.is_ours || file.file_name() == output.path.file_name())
        });
        let mut place = None;
        candidates
            .filter(|output| {
                place.get_or_insert_with(|| Place::of(file)).as_ref().is_some_and(|file| file.is(&output.place))
            })
            .map(|output| output.words)
            .next()
    }

    fn refuse(&self, place: &Place, input: &fmt::Arguments<'_>, output: &str) -> Result<(), Failure> {
        match self.0.iter().find(|other| other.place.is(place)) {
            None => Ok(()),
            Some(other) if output.is_empty() => {
                Err(Failure::usage(format_args!("the {} would overwrite {input}", other.words)))
            }
            Some(other) => Err(Failure::usage(format_args!("the {output} would overwrite the {}", other.words))),
        }
    }
}

impl Place {
    fn of(path: &Path) -> Option<Self> {
        match path.metadata() {
            Ok(file) if file.is_file() => {
                #[cfg(unix)]
                let node = {
                    use std::os::unix::fs::MetadataExt;
                    (file.dev(), file.ino())
                };
                #[cfg(not(unix))]
                let node = (0, 0);
                Some(Self { path: path.canonicalize().ok()?, node: Some(node) })
            }
            Ok(_) => None,
            Err(_) => Some(Self { path: folder(path).canonicalize().ok()?.join(path.file_name()?), node: None }),
        }
    }

    fn is(&self, other: &Self) -> bool {
        self.path == other.path || cfg!(unix) && self.node.is_some() && self.node == other.node
    }
}

fn begins_with(path: &Path, first: &[u8]) -> bool {
    let mut bytes = vec![0; first.len()];
    File::open(path).and_then(|mut file| file.read_exact(&mut bytes)).is_ok() && bytes == first
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs::{self, hard_link};
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_file_is_known_by_any_name() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name);
        fs::write(path("out"), "text").expect("written");
        fs::write(path("other"), "text").expect("written");
        hard_link(path("out"), path("hard")).expect("linked");
        symlink("out", path("soft")).expect("linked");
        fs::create_dir(path("in")).expect("made");
        symlink("new", path("to be made")).expect("linked");
        let mut outputs = Outputs::default();
        outputs.add("report", &path("out")).expect("alone");
        outputs.add("journal", &path("new")).expect("another");
        for name in ["out", "hard", "soft", "in/../out"] {
            let refused = outputs.refuse_input("settings file", &path(name)).expect_err("the same");
            let expected = format!("the report would overwrite the settings file {}", path(name).display());
            assert_eq!(refused.errors(), [expected]);
            assert_eq!(outputs.over(&path(name)), Some("report"), "{name}");
        }
        for name in ["other", "in", "missing", "no/out"] {
            assert!(outputs.refuse_input("manifest", &path(name)).is_ok(), "{name}");
            assert_eq!(outputs.over(&path(name)), None, "{name}");
        }
        assert_eq!(
            outputs.add("page", &path("in/../new")).expect_err("the same").errors(),
            ["the page would overwrite the journal"]
        );
        assert!(Outputs::default().add("report", Path::new("/dev/null")).is_ok_and(|()| true));
    }

    #[test]
    fn a_report_of_an_earlier_run_is_looked_for_by_its_name() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name);
        fs::write(path("out"), "{\"index\":0}\n").expect("written");
        hard_link(path("out"), path("hard")).expect("linked");
        let mut outputs = Outputs::default();
        outputs.add("report", &path("out")).expect("alone");
        assert_eq!((outputs.over(&path("out")), outputs.over(&path("hard"))), (Some("report"), None));
    }
}
