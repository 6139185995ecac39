//! Files that are listed by name, rather than found in folders.

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};

use encord_upload::ItemKind;

use crate::kind::Kind;
use crate::units::Found;
use crate::walk::{NOT_UTF_8, Walk, WalkOptions, Walker};

/// Takes files one by one, and makes units of them as a walk does. Each file is a unit.
#[derive(Debug)]
pub struct ListedFiles {
    base: PathBuf,
    /// Compared as paths: `a//b` and `a/./b` are `a/b`.
    seen: HashSet<PathBuf>,
    walker: Walker,
}

impl ListedFiles {
    /// Relative paths begin at `base`. Of the options, globs and groups have no meaning here.
    ///
    /// # Errors
    ///
    /// `base` cannot be looked at.
    pub fn new(base: &Path, options: &WalkOptions) -> io::Result<Self> {
        let base = base.canonicalize()?;
        let mut walker = Walker::new(options);
        walker.walk.units.push_root(base.clone());
        Ok(Self { base, seen: HashSet::new(), walker })
    }

    /// Takes a file. One that cannot be uploaded is a [`Problem`](crate::Problem).
    ///
    /// # Errors
    ///
    /// The file has been taken before.
    pub fn push(&mut self, path: &Path, title: Option<String>, kind: Option<ItemKind>) -> Result<(), String> {
        let path = path.strip_prefix(".").unwrap_or(path);
        let place = self.base.join(path);
        if !self.seen.insert(place.clone()) {
            return Err("the file is listed already".to_owned());
        }
        match self.look(path, &place, kind) {
            Ok((kind, found)) => {
                self.walker.walk.units.push(kind, false, [found]);
                if let Some(title) = title {
                    self.walker.walk.units.set_title(title);
                }
            }
            Err(reason) => self.walker.problem_of(place, title, reason),
        }
        Ok(())
    }

    /// What was taken.
    pub fn into_walk(self) -> Walk {
        self.walker.walk
    }

    /// What a file is, or why it cannot be uploaded.
    fn look(&self, path: &Path, place: &Path, said: Option<ItemKind>) -> Result<(Kind, Found), String> {
        let name = path.to_str().ok_or(NOT_UTF_8)?;
        let metadata = place.metadata().map_err(|error| error.to_string())?;
        if !metadata.is_file() {
            return Err(if metadata.is_dir() { "a folder; list its files" } else { "not a regular file" }.to_owned());
        }
        if self.walker.is_own(place) {
            return Err("a file of this run".to_owned());
        }
        let kind = match said.filter(|_| self.walker.options.kind.is_none()) {
            Some(said) => Kind::of_upload(said).ok_or("a folder takes no files of this data type")?,
            None => self
                .walker
                .kind(place)
                .map_err(|error| error.to_string())?
                .ok_or("neither its name nor its content says what it is; give a data type")?,
        };
        Ok((kind, Found::new(name.to_owned(), &metadata)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Titles;

    #[test]
    fn each_line_is_a_unit_or_a_problem() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        for name in ["a.jpg", "x/b.mp4", "c", "own.csv"] {
            std::fs::create_dir_all(at(name).parent().expect("below")).expect("made");
            std::fs::write(at(name), name).expect("written");
        }
        let options = WalkOptions { own_files: vec![at("own.csv")], titles: Titles::Name, ..WalkOptions::default() };
        let mut list = ListedFiles::new(folder.path(), &options).expect("listed");
        let mut push = |path: &str, title: Option<&str>, kind| list.push(path.as_ref(), title.map(str::to_owned), kind);
        assert_eq!(push("./a.jpg", None, None), Ok(()));
        assert_eq!(push("x/b.mp4", Some("B/B"), None), Ok(()));
        assert_eq!(push("c", None, Some(ItemKind::Dicom)), Ok(()));
        let absolute = at("a.jpg").canonicalize().expect("there");
        for again in ["a.jpg", "x/./b.mp4", "x//b.mp4", absolute.to_str().expect("text")] {
            assert_eq!(push(again, None, None), Err("the file is listed already".to_owned()), "{again}");
        }
        for (path, title) in [("y/none.jpg", None), ("x", Some("The x")), ("own.csv", None)] {
            assert_eq!(push(path, title, None), Ok(()));
        }
        assert_eq!(push("x/../c", None, None), Ok(()));
        assert_eq!(push("x/../a.jpg", None, Some(ItemKind::Pdf)), Ok(()));
        assert_eq!(push("x/../x/b.mp4", None, Some(ItemKind::Scene)), Ok(()));
        let Walk { units, problems, .. } = list.into_walk();
        let of = |unit| (units.title(unit), units.kind(unit), units.size(unit, 0));
        assert_eq!(of(0), ("a.jpg".to_owned(), Kind::Image, 5));
        assert_eq!(of(1), ("B/B".to_owned(), Kind::Video, 7));
        assert_eq!(of(2), ("c".to_owned(), Kind::DicomSeries, 1));
        assert_eq!(of(3), ("a.jpg".to_owned(), Kind::Pdf, 5));
        assert_eq!((units.len(), units.place(3)), (4, folder.path().canonicalize().expect("real").join("x/../a.jpg")));
        let errors: Vec<_> =
            problems.iter().map(|problem| problem.error.split([';', '(']).next().expect("one").trim()).collect();
        let unknown = "neither its name nor its content says what it is";
        let scene = "a folder takes no files of this data type";
        assert_eq!(errors, ["No such file or directory", "a folder", "a file of this run", unknown, scene]);
        let places: Vec<_> = problems.iter().map(|problem| (problem.before, &*problem.title)).collect();
        assert_eq!(places, [(3, "none.jpg"), (3, "The x"), (3, "own.csv"), (3, "c"), (4, "b.mp4")]);
    }
}
