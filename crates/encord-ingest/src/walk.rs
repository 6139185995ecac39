//! Walking: which files there are, which of them become units, and what is left out.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt::Display;
use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};

use ignore::Match;
use ignore::gitignore::Gitignore;
use ignore::overrides::{Override, OverrideBuilder};
use thiserror::Error;

use crate::kind::Kind;
use crate::left_out::{LeftOut, Names};
use crate::natural;
use crate::units::{Found, Titles, UnitList};

/// The file whose lines say what is left out of its folder and of those below, in the form of `.gitignore`.
pub const IGNORE_FILE: &str = ".encordignore";

/// What systems and programs leave behind in folders.
const LEFT_BEHIND: &[&str] = &["Thumbs.db", "ehthumbs.db", "desktop.ini", "Icon\r", "__MACOSX", "$RECYCLE.BIN"];

/// Titles are text.
pub(crate) const NOT_UTF_8: &str = "the name is not UTF-8, so no item can have it";

/// More files are not taken in one run.
const MAX_FILES: usize = 100_000_000;

/// What is walked, and how.
#[derive(Debug, Clone, Default)]
pub struct WalkOptions {
    /// Files that match none of these are left out, unless there are none.
    pub include: Vec<String>,
    /// Files and folders that match one of these are left out.
    pub exclude: Vec<String>,
    /// What every file is, whatever its name says.
    pub kind: Option<Kind>,
    /// The files of a folder become one unit of this kind.
    pub group: Option<Kind>,
    /// What items are called.
    pub titles: Titles,
    /// Files of the run itself, such as the one with the metadata.
    pub own_files: Vec<PathBuf>,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Walk {
    /// What is to be sent.
    pub units: UnitList,
    /// What is not, by reason.
    pub left_out: BTreeMap<LeftOut, Names>,
    /// What could not be looked at.
    pub problems: Vec<Problem>,
}

/// A file or folder that could not be looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where.
    pub path: PathBuf,
    /// What its item would be called.
    pub title: String,
    /// How many units come before it.
    pub before: usize,
    /// Why.
    pub error: String,
}

/// Why a walk cannot begin.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum WalkError {
    /// A PATH that cannot be looked at.
    #[error("{}: {source}", .path.display())]
    Path {
        /// The PATH.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file that was named, and of which nobody can say what it is.
    #[error("{}: neither its name nor its content says what it is; say so with --kind", .0.display())]
    UnknownKind(PathBuf),
    /// Two PATHs with files in common.
    #[error("{} lies within {}: name each file once", .inner.display(), .outer.display())]
    Within {
        /// The one.
        inner: PathBuf,
        /// The other.
        outer: PathBuf,
    },
    /// A glob that cannot be read.
    #[error("{0}")]
    Glob(ignore::Error),
    /// There are too many.
    #[error("more than {MAX_FILES} files")]
    TooMany,
}

impl Walk {
    /// Keeps the units for which this is true, asked with the list as it was and their places in it.
    pub fn retain(&mut self, keep: impl Fn(&UnitList, usize) -> bool) {
        let mut before = vec![0];
        for unit in 0..self.units.len() {
            before.push(before[unit] + usize::from(keep(&self.units, unit)));
        }
        for problem in &mut self.problems {
            problem.before = before[problem.before];
        }
        self.units.retain(|unit| before[unit] < before[unit + 1]);
    }
}

/// Walks all paths.
///
/// # Errors
///
/// [`WalkError`]. What cannot be looked at below a path is a [`Problem`].
pub fn walk(paths: &[PathBuf], options: &WalkOptions) -> Result<Walk, WalkError> {
    let mut roots: Vec<PathBuf> = Vec::new();
    for path in paths {
        let failed = |source| WalkError::Path { path: path.clone(), source };
        let root = path.canonicalize().map_err(failed)?;
        if let Some(other) = roots.iter().find(|other| root.starts_with(other) || other.starts_with(&root)) {
            let (inner, outer) = if root.starts_with(other) { (root, other.clone()) } else { (other.clone(), root) };
            return Err(WalkError::Within { inner, outer });
        }
        roots.push(root);
    }
    let mut walker = Walker::new(options);
    for root in roots {
        walker.root(&root)?;
    }
    Ok(walker.walk)
}

/// What makes units of files.
#[derive(Debug)]
pub(crate) struct Walker {
    pub(crate) options: WalkOptions,
    /// With all links resolved.
    own_files: Vec<PathBuf>,
    pub(crate) walk: Walk,
    files: usize,
}

/// A folder whose entries are being taken.
struct Folder {
    path: PathBuf,
    /// Below the root, with a slash at the end unless it is the root.
    below: String,
    /// Still to be visited, the next one last.
    folders: Vec<(String, PathBuf)>,
    ignored: Option<Gitignore>,
    /// Where it really is.
    real: PathBuf,
}

impl Walker {
    pub(crate) fn new(options: &WalkOptions) -> Self {
        let own_files = options.own_files.iter().filter_map(|path| path.canonicalize().ok()).collect();
        let walk = Walk { units: UnitList::new(options.titles), ..Walk::default() };
        Self { options: options.clone(), own_files, walk, files: 0 }
    }

    fn root(&mut self, root: &Path) -> Result<(), WalkError> {
        let failed = |source| WalkError::Path { path: root.to_owned(), source };
        let metadata = root.metadata().map_err(failed)?;
        self.walk.units.push_root(root.to_owned());
        if metadata.is_file() {
            let kind = self.kind(root).map_err(failed)?.ok_or_else(|| WalkError::UnknownKind(root.to_owned()))?;
            let file = Found::new(String::new(), &metadata);
            self.enter(root, vec![(kind, file)]);
            return Ok(());
        }
        let globs = self.globs(root)?;
        let mut open = Vec::new();
        open.extend(self.folder(root.to_owned(), String::new(), &globs, &[])?);
        while let Some(folder) = open.last_mut() {
            match folder.folders.pop() {
                Some((below, path)) => {
                    let next = self.folder(path, below, &globs, &open)?;
                    open.extend(next);
                }
                None => drop(open.pop()),
            }
        }
        Ok(())
    }

    fn globs(&self, root: &Path) -> Result<Override, WalkError> {
        let mut builder = OverrideBuilder::new(root);
        for glob in &self.options.include {
            builder.add(glob).map_err(WalkError::Glob)?;
        }
        for glob in &self.options.exclude {
            builder.add(&format!("!{glob}")).map_err(WalkError::Glob)?;
        }
        builder.build().map_err(WalkError::Glob)
    }

    /// Takes the files of a folder; the folders in it are for later. `None` if it cannot be read, or leads back.
    fn folder(
        &mut self,
        path: PathBuf,
        below: String,
        globs: &Override,
        above: &[Folder],
    ) -> Result<Option<Folder>, WalkError> {
        let (real, entries) = match path.canonicalize().and_then(|real| Ok((real, names(&path)?))) {
            Ok(read) => read,
            Err(error) => {
                self.problem(path, error);
                return Ok(None);
            }
        };
        if above.iter().any(|folder| folder.real == real) {
            self.leave_out(LeftOut::Loop, path);
            return Ok(None);
        }
        let ignored = self.ignore_file(&path);
        let folder = Folder { path, below, folders: Vec::new(), ignored, real };
        let rules = [&folder].into_iter().chain(above.iter().rev()).filter_map(|folder| folder.ignored.as_ref());
        let rules: Vec<_> = rules.collect();
        let (mut files, mut folders) = (Vec::new(), Vec::new());
        for name in entries {
            let path = folder.path.join(&name);
            let metadata = match self.look(&path, &name, globs, &rules) {
                Ok(metadata) => metadata,
                Err(Ok(reason)) => {
                    self.leave_out(reason, path);
                    continue;
                }
                Err(Err(error)) => {
                    self.problem(path, error);
                    continue;
                }
            };
            let Some(name) = name.to_str() else {
                self.problem(path, NOT_UTF_8);
                continue;
            };
            let below = format!("{}{name}", folder.below);
            if metadata.is_dir() {
                folders.push((name.to_owned(), format!("{below}/"), path));
                continue;
            }
            match self.kind(&path) {
                Ok(Some(kind)) => files.push((name.to_owned(), kind, Found::new(below, &metadata))),
                Ok(None) => self.leave_out(LeftOut::UnknownKind, path),
                Err(error) => self.problem(path, error),
            }
        }
        files.sort_by(|(a, ..), (b, ..)| natural::compare(a, b));
        folders.sort_by(|(a, ..), (b, ..)| natural::compare(b, a));
        self.files += files.len();
        if self.files > MAX_FILES {
            return Err(WalkError::TooMany);
        }
        self.enter(&folder.path, files.into_iter().map(|(_, kind, found)| (kind, found)).collect());
        Ok(Some(Folder { folders: folders.into_iter().map(|(_, below, path)| (below, path)).collect(), ..folder }))
    }

    /// Adds the files of one folder.
    fn enter(&mut self, folder: &Path, files: Vec<(Kind, Found)>) {
        let Some(group) = self.options.group else {
            for (kind, found) in files {
                self.walk.units.push(kind, false, [found]);
            }
            return;
        };
        let fits = if group == Kind::DicomSeries { Kind::DicomSeries } else { Kind::Image };
        let (of_it, others): (Vec<_>, Vec<_>) =
            files.into_iter().partition(|(kind, _)| *kind == fits || *kind == group);
        for (_, Found { below, .. }) in others {
            let name = below.rsplit('/').next().unwrap_or_default();
            self.leave_out(LeftOut::NotOfTheGroup, folder.join(name));
        }
        self.walk.units.push(group, true, of_it.into_iter().map(|(_, found)| found));
    }

    pub(crate) fn kind(&self, path: &Path) -> io::Result<Option<Kind>> {
        self.options.kind.map_or_else(|| Kind::of_file(path), |kind| Ok(Some(kind)))
    }

    /// What an entry is if it is taken; else why it is left out, or why it cannot be looked at.
    fn look(
        &self,
        path: &Path,
        name: &OsString,
        globs: &Override,
        rules: &[&Gitignore],
    ) -> Result<Metadata, Result<LeftOut, io::Error>> {
        let (metadata, error) = match path.metadata() {
            Ok(metadata) => (metadata, None),
            // A file that is left out for its name need not be readable.
            Err(error) => (path.symlink_metadata().map_err(Err)?, Some(error)),
        };
        match (self.reason(path, name, &metadata, globs, rules), error) {
            (None | Some(LeftOut::NotAFile), Some(error)) if leads_nowhere(&metadata, &error) => {
                Err(Ok(LeftOut::Dangling))
            }
            (None | Some(LeftOut::NotAFile), Some(error)) => Err(Err(error)),
            (Some(reason), _) => Err(Ok(reason)),
            (None, None) => Ok(metadata),
        }
    }

    fn reason(
        &self,
        path: &Path,
        name: &OsString,
        metadata: &Metadata,
        globs: &Override,
        rules: &[&Gitignore],
    ) -> Option<LeftOut> {
        let is_folder = metadata.is_dir();
        if name.as_encoded_bytes().first() == Some(&b'.') {
            return Some(LeftOut::Hidden);
        }
        if LEFT_BEHIND.iter().any(|known| name == known) {
            return Some(LeftOut::LeftBehind);
        }
        // The nearest file decides.
        let verdict = rules.iter().map(|rules| rules.matched(path, is_folder)).find(|verdict| !verdict.is_none());
        if matches!(verdict, Some(Match::Ignore(_))) {
            return Some(LeftOut::Ignored);
        }
        if globs.matched(path, is_folder).is_ignore() {
            return Some(LeftOut::NotIncluded);
        }
        if !is_folder && !metadata.is_file() {
            return Some(LeftOut::NotAFile);
        }
        (!is_folder && self.is_own(path)).then_some(LeftOut::OwnFile)
    }

    /// Whether it is a file of the run itself.
    pub(crate) fn is_own(&self, path: &Path) -> bool {
        !self.own_files.is_empty() && path.canonicalize().is_ok_and(|real| self.own_files.contains(&real))
    }

    fn ignore_file(&mut self, folder: &Path) -> Option<Gitignore> {
        let path = folder.join(IGNORE_FILE);
        if !path.is_file() {
            return None;
        }
        let (rules, error) = Gitignore::new(&path);
        if let Some(error) = error {
            self.problem(path, error);
        }
        Some(rules)
    }

    fn leave_out(&mut self, reason: LeftOut, path: PathBuf) {
        self.walk.left_out.entry(reason).or_default().add(path);
    }

    fn problem(&mut self, path: PathBuf, error: impl Display) {
        self.problem_of(path, None, error);
    }

    /// Notes a problem of a file that may have a title of its own.
    pub(crate) fn problem_of(&mut self, path: PathBuf, title: Option<String>, error: impl Display) {
        let title = title.unwrap_or_else(|| self.walk.units.title_at(&path));
        self.walk.problems.push(Problem { path, title, before: self.walk.units.len(), error: error.to_string() });
    }
}

/// Whether this is a link, and its target is not there.
fn leads_nowhere(link: &Metadata, error: &io::Error) -> bool {
    #[cfg(unix)]
    let is_loop = error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error());
    #[cfg(not(unix))]
    let is_loop = false;
    link.is_symlink() && (is_loop || matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory))
}

fn names(folder: &Path) -> io::Result<Vec<OsString>> {
    fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.file_name())).collect()
}

#[cfg(test)]
mod tests;
