//! The target of a report or of a page. A file appears complete or not at all: it is written under another name and renamed at
//! the end.

use std::env;
use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Seek, Write};
#[cfg(unix)]
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use tempfile::{NamedTempFile, PersistError};

use crate::args::Stream;
use crate::output::{Failure, print};

#[derive(Debug)]
pub(crate) enum Target {
    Standard,
    /// A pipe, a device, or a file that is already open, which cannot be replaced by a rename.
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
    /// Checks that the report can be written, without changing anything.
    ///
    /// # Errors
    ///
    /// It cannot.
    pub(crate) fn open(words: &'static str, stream: &Stream) -> Result<Self, Failure> {
        let Stream::File(path) = stream else { return Ok(Self::Standard) };
        let name = path.display().to_string();
        Self::at(path, &name).map_err(|error| Failure::usage(format_args!("{words} {name}: {error}")))
    }

    /// Does the same check for a run that writes no report. A pipe is not opened, because its reader would see its end.
    pub(super) fn check(words: &'static str, stream: &Stream) -> Result<(), Failure> {
        let is_special = |path: &Path| path.metadata().is_ok_and(|file| !file.is_file() && !file.is_dir());
        match stream {
            Stream::File(path) if is_special(path) => Ok(()),
            _ => Self::open(words, stream)?.scratch().map(drop),
        }
    }

    fn at(path: &Path, name: &str) -> io::Result<Self> {
        let name = name.to_owned();
        #[cfg(unix)]
        if let Some(descriptor) = descriptor(path) {
            let is_ours = |number: &str| {
                let all = ["/proc/self/fd", "/dev/fd"].into_iter().filter_map(|all| Path::new(all).canonicalize().ok());
                all.map(|all| all.join(number)).any(|ours| ours == descriptor)
            };
            // Our own streams are not opened again, because each would have its own position in the file and overwrite the other.
            let file = if is_ours("1") {
                return Ok(Self::Standard);
            } else if is_ours("2") {
                io::stderr().as_fd().try_clone_to_owned()?.into()
            } else {
                OpenOptions::new().append(true).open(path)?
            };
            return Ok(Self::Special { name, file });
        }
        match OpenOptions::new().write(true).open(path) {
            Ok(file) if file.metadata()?.is_file() => {
                // If the path is a link, the target of the link is replaced.
                let path = path.canonicalize()?;
                Ok(Self::File { name, path })
            }
            Ok(file) => Ok(Self::Special { name, file }),
            Err(error) if error.kind() == io::ErrorKind::NotFound && could_be_made(path) => {
                Ok(Self::File { name, path: path.to_owned() })
            }
            Err(error) => Err(error),
        }
    }

    /// Makes an empty unnamed file on a disk with room for the report.
    pub(super) fn scratch(&self) -> Result<File, Failure> {
        if let Self::File { name, path } = self {
            match tempfile::tempfile_in(folder(path)) {
                Ok(file) => return Ok(file),
                // The folder is closed, but the file is not: it will be written in place.
                Err(_) if path.is_file() => {}
                Err(error) => {
                    let (folder, kind) = (folder(path).display(), error.kind());
                    return Err(Failure::usage(format_args!(
                        "report {name}: cannot write to its folder {folder}: {kind}"
                    )));
                }
            }
        }
        tempfile::tempfile().map_err(|error| {
            let folder = env::temp_dir();
            let failure =
                Failure::failed(format_args!("cannot make a temporary file in {}: {error}", folder.display()));
            failure.with_hint("TMPDIR names another folder for temporary files")
        })
    }

    /// Writes the report. If that fails, it is kept in the folder for temporary files, if possible.
    ///
    /// # Errors
    ///
    /// Writing fails.
    pub(crate) fn write(self, write: Writing<'_>) -> Result<(), Failure> {
        let written = match &self {
            Self::Standard => return print(write),
            Self::Special { file, .. } => {
                let mut out = BufWriter::new(file);
                match write(&mut out).and_then(|()| out.flush()) {
                    // As on standard output, a reader that has closed the pipe is not an error.
                    Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
                    written => written,
                }
            }
            Self::File { path, .. } => place(path, write, |beside| beside.persist(path)),
        };
        written.map_err(|error| match keep(write) {
            Ok(kept) => self.unwritable(&format_args!("{error}; it is in {}", kept.display())),
            Err(_) => self.unwritable(&error),
        })
    }

    pub(super) fn unwritable(&self, error: &dyn fmt::Display) -> Failure {
        let name = match self {
            Self::Standard => "on standard output",
            Self::Special { name, .. } | Self::File { name, .. } => name,
        };
        Failure::failed(format_args!("cannot write the report {name}: {error}"))
    }
}

/// Writes the report to any writer. It can be called more than once.
pub(crate) type Writing<'a> = &'a mut dyn FnMut(&mut dyn Write) -> io::Result<()>;

/// Puts the report in its place, by a rename if possible. A file that can be written but not replaced is overwritten, such as
/// another user's file in /tmp, or a file that is a mount point.
fn place(
    path: &Path,
    write: Writing<'_>,
    persist: impl FnOnce(NamedTempFile) -> Result<File, PersistError>,
) -> io::Result<()> {
    let beside = match new_file(folder(path)) {
        Ok(beside) => beside,
        Err(_) if path.is_file() => return overwrite(path, write),
        Err(error) => return Err(error),
    };
    if let Ok(former) = path.metadata() {
        // Some network file systems have no permissions.
        let _ = beside.as_file().set_permissions(former.permissions());
    }
    fill(beside.as_file(), write)?;
    match persist(beside) {
        Err(_) if path.is_file() => overwrite(path, write),
        persisted => persisted.map(drop).map_err(|PersistError { error, .. }| error),
    }
}

/// Overwrites the existing file with the report.
fn overwrite(path: &Path, write: Writing<'_>) -> io::Result<()> {
    // The earlier report is lost once writing begins, so writing begins only if the report fits.
    let mut whole = tempfile::tempfile()?;
    fill(&whole, write)?;
    whole.rewind()?;
    let mut file = OpenOptions::new().write(true).truncate(true).open(path)?;
    io::copy(&mut whole, &mut file)?;
    file.sync_all()
}

/// Writes the report to the folder for temporary files.
fn keep(write: Writing<'_>) -> io::Result<PathBuf> {
    let file = tempfile::Builder::new().prefix("encord-report-").suffix(".jsonl").tempfile()?;
    fill(file.as_file(), write)?;
    Ok(file.keep()?.1)
}

fn fill(file: &File, write: Writing<'_>) -> io::Result<()> {
    let mut out = BufWriter::new(file);
    write(&mut out)?;
    out.flush()?;
    drop(out);
    file.sync_all()
}

fn new_file(folder: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".encord-report-");
    #[cfg(unix)]
    let everyone = {
        use std::os::unix::fs::PermissionsExt;
        fs::Permissions::from_mode(0o666)
    };
    // The permissions of any new file, which the umask reduces.
    #[cfg(unix)]
    builder.permissions(everyone);
    builder.tempfile_in(folder)
}

/// Follows links until they lead to a descriptor of a process, as `/dev/stdout` leads to standard output.
#[cfg(unix)]
fn descriptor(path: &Path) -> Option<PathBuf> {
    let mut path = path.to_owned();
    // As many links as Linux follows.
    for _ in 0..40 {
        let folder = folder(&path).canonicalize().ok()?;
        if folder == Path::new("/dev/fd") || folder.starts_with("/proc") && folder.ends_with("fd") {
            return Some(folder.join(path.file_name()?));
        }
        path = folder.join(path.read_link().ok()?);
    }
    None
}

/// Whether a missing file could be made: its folder exists, and its name has no slash at the end, as in `reports/`.
pub(crate) fn could_be_made(path: &Path) -> bool {
    let written = path.as_os_str().as_encoded_bytes();
    let ends_with_its_name = path.file_name().is_some_and(|name| written.ends_with(name.as_encoded_bytes()));
    ends_with_its_name && folder(path).is_dir()
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
        Target::open("report", &Stream::File(path.to_owned())).expect("writable")
    }

    #[test]
    fn a_file_is_there_whole_or_not_at_all() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let path = folder.path().join("r");
        let target = open(&path);
        target.scratch().expect("a file");
        assert_eq!(names(folder.path()), [""; 0]);
        let failure = target.write(&mut |_| Err(io::Error::other("full"))).expect_err("full");
        assert_eq!(failure.errors(), [format!("cannot write the report {}: full", path.display())]);
        assert_eq!(names(folder.path()), [""; 0]);
        open(&path).write(&mut |out| out.write_all(b"first")).expect("written");
        drop(open(&path));
        assert_eq!(fs::read(&path).expect("there"), b"first");
        open(&path).write(&mut |_| Err(io::Error::other("full"))).expect_err("full");
        assert_eq!(fs::read(&path).expect("there"), b"first");
        open(&path).write(&mut |out| out.write_all(b"2nd")).expect("written");
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
        open(&link).write(&mut |out| out.write_all(b"second")).expect("written");
        assert_eq!(fs::read(&path).expect("there"), b"second");
        assert!(link.symlink_metadata().expect("there").is_symlink());
        assert_eq!(path.metadata().expect("there").permissions().mode() & 0o777, 0o640);
    }

    #[test]
    fn a_place_where_no_file_can_be_is_refused() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let refused = |path: &Path| {
            Target::open("report", &Stream::File(path.to_owned())).expect_err("refused").errors().to_vec()
        };
        let missing = folder.path().join("no/report");
        let expected = format!("report {}: No such file or directory (os error 2)", missing.display());
        assert_eq!(refused(&missing), [expected]);
        let expected = format!("report {}: Is a directory (os error 21)", folder.path().display());
        assert_eq!(refused(folder.path()), [expected]);
        for folder in [folder.path().join("reports/"), folder.path().join("reports/."), folder.path().join("no/..")] {
            let expected = format!("report {}: No such file or directory (os error 2)", folder.display());
            assert_eq!(refused(&folder), [expected]);
        }
    }

    #[test]
    fn a_report_that_cannot_be_put_in_its_place_is_kept() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let path = folder.path().join("r");
        let target = open(&path);
        fs::create_dir(&path).expect("made");
        let failure = target.write(&mut |out| out.write_all(b"a night's work")).expect_err("a directory");
        let (_, kept) = failure.errors()[0].split_once("; it is in ").expect("a place");
        assert_eq!(fs::read(kept).expect("there"), b"a night's work");
        fs::remove_file(kept).expect("removed");
    }

    /// As of a file that is mounted by itself.
    #[cfg(unix)]
    #[test]
    fn a_report_that_cannot_be_replaced_is_written_in_place() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let path = folder.path().join("r");
        fs::write(&path, "a former, longer report").expect("written");
        let refused = |file| Err(PersistError { error: io::Error::other("busy"), file });
        place(&path, &mut |out| out.write_all(b"new"), refused).expect("written");
        assert_eq!(fs::read(&path).expect("there"), b"new");
        place(&path, &mut |_| Err(io::Error::other("full")), refused).expect_err("full");
        overwrite(&path, &mut |_| Err(io::Error::other("full"))).expect_err("full");
        assert_eq!(fs::read(&path).expect("there"), b"new");
        assert_eq!(names(folder.path()), ["r"]);
    }

    /// A path can be too long for the name of another file in its folder. Not even root can make that file.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_report_beside_which_no_file_can_be_made_is_written_in_place() {
        const MAX_PATH_BYTES: usize = 4095;
        let folder = tempfile::tempdir().expect("a temporary directory");
        let mut path = folder.path().to_owned();
        while path.as_os_str().len() < MAX_PATH_BYTES - 4 {
            let room = MAX_PATH_BYTES - 3 - path.as_os_str().len();
            path.push("x".repeat(if room > 204 { 200 } else { room - 1 }));
        }
        fs::create_dir_all(&path).expect("made");
        let path = path.join("r");
        fs::write(&path, "a former, longer report").expect("written");
        new_file(super::folder(&path)).expect_err("too long");
        open(&path).write(&mut |out| out.write_all(b"new")).expect("written");
        assert_eq!(fs::read(&path).expect("there"), b"new");
    }

    #[test]
    fn a_report_whose_folder_is_gone_is_kept() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let path = folder.path().join("in/r");
        fs::create_dir(folder.path().join("in")).expect("made");
        let target = open(&path);
        fs::remove_dir(folder.path().join("in")).expect("removed");
        let failure = target.write(&mut |out| out.write_all(b"a night's work")).expect_err("no folder");
        let (_, kept) = failure.errors()[0].split_once("; it is in ").expect("a place");
        assert_eq!(fs::read(kept).expect("there"), b"a night's work");
        fs::remove_file(kept).expect("removed");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn what_has_a_descriptor_is_written_to_where_it_is() {
        use std::os::fd::AsRawFd;
        let folder = tempfile::tempdir().expect("a temporary directory");
        let (path, link) = (folder.path().join("all"), folder.path().join("link"));
        fs::write(&path, "before ").expect("written");
        let file = OpenOptions::new().append(true).open(&path).expect("opened");
        for directory in ["/dev/fd", "/proc/self/fd", &format!("/proc/{}/fd", std::process::id())] {
            let descriptor = format!("{directory}/{}", file.as_raw_fd());
            open(Path::new(&descriptor)).write(&mut |out| out.write_all(b"one ")).expect("written");
            std::os::unix::fs::symlink(&descriptor, &link).expect("linked");
            open(&link).write(&mut |out| out.write_all(b"two ")).expect("written");
            fs::remove_file(&link).expect("removed");
        }
        assert_eq!(fs::read_to_string(&path).expect("there"), "before one two one two one two ");
        assert_eq!(names(folder.path()), ["all"]);
        for standard in ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"] {
            assert!(matches!(open(Path::new(standard)), Target::Standard), "{standard}");
        }
    }
}
