//! Where a report goes. A file is there whole or not at all: it is written beside its place and moved there at the end.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::args::Stream;
use crate::output::{Failure, print};

#[derive(Debug)]
pub(super) enum Target {
    Standard,
    /// A pipe or a device: nothing can be moved to its place.
    Special {
        name: String,
        file: File,
    },
    File {
        name: String,
        path: PathBuf,
    },
}

impl Target {
    /// Looks whether the report can be written there, and changes nothing.
    ///
    /// # Errors
    ///
    /// It cannot.
    pub(super) fn open(stream: &Stream) -> Result<Self, Failure> {
        let Stream::File(path) = stream else { return Ok(Self::Standard) };
        let name = path.display().to_string();
        Self::at(path, &name).map_err(|error| Failure::usage(format_args!("report {name}: {error}")))
    }

    fn at(path: &Path, name: &str) -> io::Result<Self> {
        let name = name.to_owned();
        match OpenOptions::new().write(true).open(path) {
            Ok(file) if file.metadata()?.is_file() => {
                // Of a link, its target is replaced.
                let path = path.canonicalize()?;
                Ok(Self::File { name, path })
            }
            Ok(file) => Ok(Self::Special { name, file }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let path = path.to_owned();
                if path.file_name().is_none() || !folder(&path).metadata()?.is_dir() {
                    return Err(error);
                }
                Ok(Self::File { name, path })
            }
            Err(error) => Err(error),
        }
    }

    /// An empty file that nobody else can see, where there is room for the report.
    pub(super) fn scratch(&self) -> Result<File, Failure> {
        match self {
            Self::File { name, path } => tempfile::tempfile_in(folder(path)).map_err(|error| {
                let folder = folder(path).display();
                Failure::usage(format_args!("report {name}: cannot write to its folder {folder}: {}", error.kind()))
            }),
            Self::Standard | Self::Special { .. } => tempfile::tempfile()
                .map_err(|error| Failure::failed(format_args!("cannot make a temporary file: {error}"))),
        }
    }

    /// Writes the report.
    ///
    /// # Errors
    ///
    /// Writing fails.
    pub(super) fn write(self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Failure> {
        let (name, written) = match self {
            Self::Standard => return print(write),
            Self::Special { name, file } => {
                let mut out = BufWriter::new(file);
                let written = match write(&mut out).and_then(|()| out.flush()) {
                    // As on standard output: the reader has what it wanted.
                    Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
                    written => written,
                };
                (name, written)
            }
            Self::File { name, path } => (name, replace(&path, write)),
        };
        written.map_err(|error| Failure::failed(format_args!("cannot write the report {name}: {error}")))
    }
}

/// Replaces a file, or makes a new one, in one step.
fn replace(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".encord-report-");
    #[cfg(unix)]
    let everyone = {
        use std::os::unix::fs::PermissionsExt;
        fs::Permissions::from_mode(0o666)
    };
    // As of any new file: what the umask leaves of it.
    #[cfg(unix)]
    builder.permissions(everyone);
    let beside = builder.tempfile_in(folder(path))?;
    if let Ok(former) = path.metadata() {
        beside.as_file().set_permissions(former.permissions())?;
    }
    let mut out = BufWriter::new(beside.as_file());
    write(&mut out)?;
    out.flush()?;
    drop(out);
    beside.as_file().sync_all()?;
    beside.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// The folder that a file is in.
pub(crate) fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let names = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").file_name());
        let mut names: Vec<String> = names.map(|name| name.to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    fn open(path: &Path) -> Target {
        Target::open(&Stream::File(path.to_owned())).expect("writable")
    }

    #[test]
    fn a_file_is_there_whole_or_not_at_all() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let path = folder.path().join("r");
        let target = open(&path);
        target.scratch().expect("a file");
        assert_eq!(names(folder.path()), [""; 0]);
        let failure = target.write(|_| Err(io::Error::other("full"))).expect_err("full");
        assert_eq!(failure.errors(), [format!("cannot write the report {}: full", path.display())]);
        assert_eq!(names(folder.path()), [""; 0]);
        open(&path).write(|out| out.write_all(b"first")).expect("written");
        drop(open(&path));
        assert_eq!(fs::read(&path).expect("there"), b"first");
        open(&path).write(|_| Err(io::Error::other("full"))).expect_err("full");
        assert_eq!(fs::read(&path).expect("there"), b"first");
        open(&path).write(|out| out.write_all(b"2nd")).expect("written");
        assert_eq!(fs::read(&path).expect("there"), b"2nd");
        assert_eq!(names(folder.path()), ["r"]);
    }

    #[cfg(unix)]
    #[test]
    fn links_and_permissions_are_kept() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let folder = tempfile::tempdir().expect("a temporary directory");
        let (path, link) = (folder.path().join("r"), folder.path().join("link"));
        fs::write(&path, "first").expect("written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).expect("set");
        symlink("r", &link).expect("linked");
        open(&link).write(|out| out.write_all(b"second")).expect("written");
        assert_eq!(fs::read(&path).expect("there"), b"second");
        assert!(link.symlink_metadata().expect("there").is_symlink());
        assert_eq!(path.metadata().expect("there").permissions().mode() & 0o777, 0o640);
    }

    #[test]
    fn a_place_where_no_file_can_be_is_refused() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let refused =
            |path: &Path| Target::open(&Stream::File(path.to_owned())).expect_err("refused").errors().to_vec();
        let missing = folder.path().join("no/report");
        let expected = format!("report {}: No such file or directory (os error 2)", missing.display());
        assert_eq!(refused(&missing), [expected]);
        let expected = format!("report {}: Is a directory (os error 21)", folder.path().display());
        assert_eq!(refused(folder.path()), [expected]);
    }
}
