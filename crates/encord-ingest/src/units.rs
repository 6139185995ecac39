//! The list of what a run is about: units and their files, in order.

use std::collections::HashMap;
use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use crate::kind::Kind;
use crate::plan::{Facts, name_hash};
use crate::record::FileFacts;

/// What items are called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Titles {
    /// By the path below the PATH that was given, as in `2024/cat.jpg`.
    #[default]
    Path,
    /// By the name of the file or folder alone, as the SDK does.
    Name,
}

/// Units and their files. What is kept of a file is its path below its root, and 32 bytes.
#[derive(Debug, Default)]
pub struct UnitList {
    roots: Vec<PathBuf>,
    files: Vec<File>,
    units: Vec<Unit>,
    titles: Titles,
    /// Titles that are given, by the id of the unit.
    given_titles: HashMap<u32, Box<str>>,
}

#[derive(Debug)]
struct File {
    /// Empty where the root is the file.
    below: Box<str>,
    size: u64,
    mtime_ns: i64,
    root: u32,
}

#[derive(Debug, Clone, Copy)]
struct Unit {
    first: u32,
    files: u32,
    kind: Kind,
    is_group: bool,
}

/// A file that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    /// The path below the root; empty where the root is the file.
    pub(crate) below: String,
    pub(crate) size: u64,
    pub(crate) mtime_ns: i64,
}

impl Found {
    pub(crate) fn new(below: String, metadata: &Metadata) -> Self {
        Self { below, size: metadata.len(), mtime_ns: mtime_ns(metadata) }
    }
}

/// When a file was changed, in nanoseconds since 1970; 0 where the system does not know.
pub(crate) fn mtime_ns(metadata: &Metadata) -> i64 {
    let Ok(modified) = metadata.modified() else { return 0 };
    match modified.duration_since(UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_nanos()).unwrap_or(i64::MAX),
        Err(before) => i64::try_from(before.duration().as_nanos()).map_or(i64::MIN, |nanos| -nanos),
    }
}

impl UnitList {
    pub(crate) fn new(titles: Titles) -> Self {
        Self { titles, ..Self::default() }
    }

    pub(crate) fn push_root(&mut self, root: PathBuf) {
        self.roots.push(root);
    }

    /// Adds a unit with files below the last root.
    pub(crate) fn push(&mut self, kind: Kind, is_group: bool, files: impl IntoIterator<Item = Found>) {
        let first = narrow(self.files.len());
        let root = narrow(self.roots.len().saturating_sub(1));
        self.files.extend(files.into_iter().map(|Found { below, size, mtime_ns }| File {
            below: below.into(),
            size,
            mtime_ns,
            root,
        }));
        let files = narrow(self.files.len()) - first;
        if files > 0 {
            self.units.push(Unit { first, files, kind, is_group });
        }
    }

    /// Gives the last unit a title of its own.
    pub(crate) fn set_title(&mut self, title: String) {
        if let Some(unit) = self.units.last() {
            self.given_titles.insert(unit.first, title.into());
        }
    }

    /// Keeps the units for which this is true, asked with their places in the list as it was.
    pub(crate) fn retain(&mut self, keep: impl Fn(usize) -> bool) {
        let mut places = 0..;
        self.units.retain(|_| places.next().is_some_and(&keep));
    }

    /// What a unit is known by whatever the list keeps.
    pub(crate) fn id(&self, unit: usize) -> u32 {
        self.units[unit].first
    }

    /// How many units there are.
    pub fn len(&self) -> usize {
        self.units.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.units.is_empty()
    }

    /// How many files the units have.
    pub fn files(&self) -> u64 {
        self.units.iter().map(|unit| u64::from(unit.files)).sum()
    }

    /// How many bytes the files have.
    pub fn bytes(&self) -> u64 {
        self.units.iter().flat_map(|unit| self.files_of(unit)).map(|file| file.size).sum()
    }

    /// What a unit becomes.
    pub fn kind(&self, unit: usize) -> Kind {
        self.units[unit].kind
    }

    /// The path of a unit below the PATH that was given: of its file, or of the folder of its files.
    pub fn name(&self, unit: usize) -> String {
        self.name_of(&self.units[unit])
    }

    /// What its item is called.
    pub fn title(&self, unit: usize) -> String {
        if let Some(title) = self.given_titles.get(&self.id(unit)) {
            return title.to_string();
        }
        self.titled(self.name(unit))
    }

    /// What the item of a file would be called that lies there, below the last root.
    pub(crate) fn title_at(&self, path: &Path) -> String {
        let below = self.roots.last().and_then(|root| path.strip_prefix(root).ok()).unwrap_or(path);
        self.titled(if below.as_os_str().is_empty() { last_name(path) } else { below.to_string_lossy().into_owned() })
    }

    fn titled(&self, name: String) -> String {
        match self.titles {
            Titles::Path => name,
            Titles::Name => name.rsplit('/').next().unwrap_or_default().to_owned(),
        }
    }

    /// How many files a unit has.
    pub fn files_in(&self, unit: usize) -> usize {
        self.units[unit].files as usize
    }

    /// Where a file of a unit lies.
    pub fn path(&self, unit: usize, file: usize) -> PathBuf {
        self.path_of(&self.files_of(&self.units[unit])[file])
    }

    /// The file, or the folder, that the unit is.
    pub fn place(&self, unit: usize) -> PathBuf {
        let path = self.path(unit, 0);
        match path.parent() {
            Some(folder) if self.units[unit].is_group => folder.to_owned(),
            _ => path,
        }
    }

    /// What items are called.
    pub fn titles(&self) -> Titles {
        self.titles
    }

    /// The length of a file of a unit.
    pub fn size(&self, unit: usize, file: usize) -> u64 {
        self.files_of(&self.units[unit])[file].size
    }

    /// When a file of a unit was last changed, in nanoseconds since 1970.
    pub fn mtime_ns(&self, unit: usize, file: usize) -> i64 {
        self.files_of(&self.units[unit])[file].mtime_ns
    }

    /// What a file of a unit is called within it.
    pub fn file_title(&self, unit: usize, file: usize) -> String {
        let path = self.path(unit, file);
        path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    }

    /// What the ledger knows the files of a unit by.
    pub fn facts(&self, unit: usize) -> Vec<FileFacts> {
        let files = self.files_of(&self.units[unit]).iter();
        // Names that are not UTF-8 were left out.
        let path = |file: &File| self.path_of(file).to_string_lossy().into_owned();
        files.map(|file| FileFacts { path: path(file), size: file.size, mtime_ns: file.mtime_ns }).collect()
    }

    /// What the plan has to know of a unit.
    pub fn plan_facts(&self, unit: usize) -> Facts {
        let Unit { files, kind, .. } = self.units[unit];
        let is_group = kind.takes_several_files();
        Facts {
            name: name_hash(&self.title(unit)),
            size: if is_group { 0 } else { self.files_of(&self.units[unit])[0].size },
            files,
            is_group,
            has_placeholder: kind.names_placeholder(),
        }
    }

    fn files_of(&self, unit: &Unit) -> &[File] {
        let first = unit.first as usize;
        &self.files[first..first + unit.files as usize]
    }

    fn path_of(&self, file: &File) -> PathBuf {
        let root = &self.roots[file.root as usize];
        if file.below.is_empty() { root.clone() } else { root.join(&*file.below) }
    }

    fn name_of(&self, unit: &Unit) -> String {
        let file = &self.files_of(unit)[0];
        let root = || last_name(&self.roots[file.root as usize]);
        match (file.below.rsplit_once('/'), unit.is_group) {
            (_, false) if file.below.is_empty() => root(),
            (_, false) => file.below.to_string(),
            (Some((folder, _)), true) => folder.to_owned(),
            // The files lie in the root, or one of them is the root.
            (None, true) if !file.below.is_empty() => root(),
            (None, true) => self.roots[file.root as usize].parent().map(last_name).unwrap_or_default(),
        }
    }
}

fn last_name(path: &Path) -> String {
    path.file_name().map_or_else(|| "root".to_owned(), |name| name.to_string_lossy().into_owned())
}

/// Places take four bytes. The walk ends before there are more files.
fn narrow(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(below: &str) -> Found {
        Found { below: below.to_owned(), size: 7, mtime_ns: 1 }
    }

    fn list(titles: Titles) -> UnitList {
        let mut list = UnitList::new(titles);
        list.push_root("/data/photos".into());
        list.push(Kind::Image, false, [found("a.jpg")]);
        list.push(Kind::Image, false, [found("2024/b.jpg")]);
        list.push(Kind::ImageGroup, true, [found("c.jpg"), found("d.jpg")]);
        list.push(Kind::DicomSeries, true, [found("p/1/e.dcm"), found("p/1/f.dcm")]);
        list.push_root("/data/g.png".into());
        list.push(Kind::Image, false, [found("")]);
        list.push(Kind::ImageGroup, true, [found("")]);
        list
    }

    #[test]
    fn titles_are_paths_or_names() {
        let titles = |titles| (0..6).map(|unit| list(titles).title(unit)).collect::<Vec<_>>();
        assert_eq!(titles(Titles::Path), ["a.jpg", "2024/b.jpg", "photos", "p/1", "g.png", "data"]);
        assert_eq!(titles(Titles::Name), ["a.jpg", "b.jpg", "photos", "1", "g.png", "data"]);
    }

    #[test]
    fn paths_lie_below_their_roots() {
        let list = list(Titles::Path);
        assert_eq!(list.path(1, 0), Path::new("/data/photos/2024/b.jpg"));
        assert_eq!(list.path(3, 1), Path::new("/data/photos/p/1/f.dcm"));
        assert_eq!(list.path(4, 0), Path::new("/data/g.png"));
        assert_eq!(list.place(1), Path::new("/data/photos/2024/b.jpg"));
        assert_eq!(list.place(3), Path::new("/data/photos/p/1"));
        assert_eq!(list.file_title(3, 1), "f.dcm");
        assert_eq!((list.len(), list.files(), list.bytes()), (6, 8, 56));
        assert!(list.plan_facts(3).is_group && list.plan_facts(3).files == 2 && list.plan_facts(3).size == 0);
    }

    #[test]
    fn a_shard_keeps_some() {
        let mut list = list(Titles::Name);
        list.retain(|unit| unit == 2 || unit == 3);
        assert_eq!((0..list.len()).map(|unit| list.name(unit)).collect::<Vec<_>>(), ["photos", "p/1"]);
        assert_eq!(list.files(), 4);
    }
}
