//! Walks of small folders.

use tempfile::TempDir;

use super::*;

/// A folder with these files; a name that ends with a slash is a folder. An image unless it says otherwise.
fn folder(names: &[&str]) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for name in names {
        let path = folder.path().join(name);
        fs::create_dir_all(if name.ends_with('/') { &path } else { path.parent().expect("below") }).expect("made");
        if !name.ends_with('/') {
            fs::write(&path, name).expect("written");
        }
    }
    folder
}

fn walked(folder: &Path, options: &WalkOptions) -> Walk {
    walk(&[folder.to_owned()], options).expect("walked")
}

fn titles(walk: &Walk) -> Vec<String> {
    (0..walk.units.len()).map(|unit| walk.units.title(unit)).collect()
}

fn left_out(walk: &Walk) -> Vec<(LeftOut, u64)> {
    walk.left_out.iter().map(|(reason, names)| (*reason, names.count)).collect()
}

#[test]
fn files_come_in_the_order_in_which_people_count() {
    let folder =
        folder(&["b/10.png", "b/9.png", "b/a/1.jpg", "10.jpg", "2.jpg", "a/x.mp4", "b10/z.pdf", "b9/z.pdf", "é.png"]);
    let walk = walked(folder.path(), &WalkOptions::default());
    let expected = ["2.jpg", "10.jpg", "é.png", "a/x.mp4", "b/9.png", "b/10.png", "b/a/1.jpg", "b9/z.pdf", "b10/z.pdf"];
    assert_eq!(titles(&walk), expected);
    assert_eq!(walk.units.kind(3), Kind::Video);
    assert!(walk.left_out.is_empty() && walk.problems.is_empty());
}

#[test]
fn what_is_left_out_is_counted_by_reason() {
    let folder = folder(&[
        ".hidden.jpg",
        ".git/x.jpg",
        "Thumbs.db",
        "a.jpg",
        "notes.xyz",
        "sub/desktop.ini",
        "sub/b.jpg",
        "sub/skip.jpg",
        "sub/deep/skip.jpg",
        "sub/deep/keep.jpg",
        "out/c.jpg",
        "meta.csv",
    ]);
    fs::write(folder.path().join("sub/.encordignore"), "skip.jpg\n").expect("written");
    fs::write(folder.path().join("sub/deep/.encordignore"), "!skip.jpg\n# a comment\n").expect("written");
    fs::write(folder.path().join(".gitignore"), "*.jpg\n").expect("written");
    let options = WalkOptions {
        exclude: vec!["out".into()],
        own_files: vec![folder.path().join("meta.csv")],
        ..WalkOptions::default()
    };
    let walk = walked(folder.path(), &options);
    assert_eq!(titles(&walk), ["a.jpg", "sub/b.jpg", "sub/deep/keep.jpg", "sub/deep/skip.jpg"]);
    let expected = [
        (LeftOut::UnknownKind, 1),
        // Two hidden ones, .gitignore and two .encordignore.
        (LeftOut::Hidden, 5),
        (LeftOut::LeftBehind, 2),
        (LeftOut::Ignored, 1),
        (LeftOut::NotIncluded, 1),
        (LeftOut::OwnFile, 1),
    ];
    assert_eq!(left_out(&walk), expected);
    assert_eq!(
        walk.left_out[&LeftOut::UnknownKind].examples,
        [folder.path().canonicalize().expect("there").join("notes.xyz")]
    );
}

#[test]
fn globs_choose() {
    let folder = folder(&["a.jpg", "a.png", "x/b.jpg", "x/c.png", "y/d.jpg"]);
    let with = |include: &[&str], exclude: &[&str]| {
        let text = |globs: &[&str]| globs.iter().map(|glob| (*glob).to_owned()).collect();
        let options = WalkOptions { include: text(include), exclude: text(exclude), ..WalkOptions::default() };
        titles(&walked(folder.path(), &options))
    };
    assert_eq!(with(&["*.jpg"], &[]), ["a.jpg", "x/b.jpg", "y/d.jpg"]);
    assert_eq!(with(&["*.jpg"], &["x"]), ["a.jpg", "y/d.jpg"]);
    assert_eq!(with(&["x/**"], &[]), ["x/b.jpg", "x/c.png"]);
    assert_eq!(with(&[], &["*.jpg"]), ["a.png", "x/c.png"]);
    let options = WalkOptions { include: vec!["{".into()], ..WalkOptions::default() };
    assert!(matches!(walk(&[folder.path().into()], &options), Err(WalkError::Glob(_))));
}

#[test]
fn groups_are_folders() {
    let folder = folder(&["s/2.dcm", "s/10.dcm", "s/1.dcm", "s/note.txt", "s/deep/1.dcm", "0.dcm", "empty/"]);
    let options = WalkOptions { group: Some(Kind::DicomSeries), ..WalkOptions::default() };
    let walk = walked(folder.path(), &options);
    let root = folder.path().file_name().expect("a name").to_string_lossy().into_owned();
    assert_eq!(titles(&walk), [root.as_str(), "s", "s/deep"]);
    let files: Vec<_> = (0..3).map(|file| walk.units.file_title(1, file)).collect();
    assert_eq!(files, ["1.dcm", "2.dcm", "10.dcm"]);
    assert_eq!(left_out(&walk), [(LeftOut::NotOfTheGroup, 1)]);
}

#[test]
fn content_and_kind_decide_where_names_do_not() {
    let folder = folder(&["IM0001", "README", "clip.bin"]);
    fs::write(folder.path().join("IM0001"), [&[0; 128][..], b"DICM"].concat()).expect("written");
    let walk = walked(folder.path(), &WalkOptions::default());
    assert_eq!((titles(&walk), walk.units.kind(0)), (vec!["IM0001".to_owned()], Kind::DicomSeries));
    let all = walked(folder.path(), &WalkOptions { kind: Some(Kind::Text), ..WalkOptions::default() });
    assert_eq!(all.units.len(), 3);
    // Who is named is not left out in silence.
    let named = walk_one(&folder.path().join("README"));
    assert!(matches!(named, Err(WalkError::UnknownKind(_))), "{named:?}");
    assert_eq!(titles(&walk_one(&folder.path().join("IM0001")).expect("DICOM")), ["IM0001"]);
    assert!(matches!(walk_one(&folder.path().join("none")), Err(WalkError::Path { .. })));
}

fn walk_one(path: &Path) -> Result<Walk, WalkError> {
    walk(&[path.to_owned()], &WalkOptions::default())
}

#[test]
fn no_file_is_named_twice() {
    let folder = folder(&["a/b/c.jpg", "d/e.jpg"]);
    let path = |name: &str| folder.path().join(name);
    for (one, other) in [("a", "a"), ("a", "a/b"), ("a/b/c.jpg", "a")] {
        let error = walk(&[path(one), path(other)], &WalkOptions::default());
        assert!(matches!(error, Err(WalkError::Within { .. })), "{one} {other}");
    }
    assert_eq!(titles(&walk(&[path("d"), path("a")], &WalkOptions::default()).expect("apart")), ["e.jpg", "b/c.jpg"]);
}

#[cfg(unix)]
#[test]
fn links_are_followed_and_loops_noticed() {
    use std::os::unix::fs::symlink;

    let folder = folder(&["a/x.jpg", "b/y.jpg"]);
    let path = |name: &str| folder.path().join(name);
    symlink(path("b"), path("a/to-b")).expect("a link");
    symlink(path("a"), path("a/loop")).expect("a link");
    symlink(path("a"), path("b/back")).expect("a link");
    for (target, link) in [("none", "a/broken.jpg"), ("b/y.jpg/z", "a/under-a-file"), ("a/itself.jpg", "a/itself.jpg")]
    {
        symlink(path(target), path(link)).expect("a link");
    }
    symlink(path("none"), path("b/.hidden.jpg")).expect("a link");
    rustix::fs::mkfifoat(rustix::fs::CWD, path("a/pipe.jpg"), rustix::fs::Mode::RUSR).expect("a pipe");
    let walk = walked(folder.path(), &WalkOptions::default());
    assert_eq!(titles(&walk), ["a/x.jpg", "a/to-b/y.jpg", "b/y.jpg", "b/back/x.jpg"]);
    // `a` is seen twice, `b` too.
    let expected = [(LeftOut::Hidden, 2), (LeftOut::Loop, 4), (LeftOut::Dangling, 6), (LeftOut::NotAFile, 2)];
    assert_eq!(left_out(&walk), expected);
    assert_eq!(walk.left_out[&LeftOut::Dangling].examples.len(), 5);
    assert!(walk.problems.is_empty(), "{:?}", walk.problems);
}

#[cfg(target_os = "linux")]
#[test]
fn a_name_that_is_not_utf8_is_a_problem_of_its_file() {
    use std::os::unix::ffi::OsStringExt as _;

    let folder = folder(&["a.jpg", "b.jpg", "d/c.jpg"]);
    fs::write(folder.path().join("d").join(OsString::from_vec(b"\xff.jpg".to_vec())), "x").expect("written");
    let mut walk = walked(folder.path(), &WalkOptions::default());
    assert_eq!(titles(&walk), ["a.jpg", "b.jpg", "d/c.jpg"]);
    let Problem { title, before, error, .. } = &walk.problems[0];
    assert_eq!((&**title, *before, &**error), ("d/\u{fffd}.jpg", 2, "the name is not UTF-8, so no item can have it"));
    // It keeps its place when units are taken from the list.
    walk.retain(|units, unit| units.title(unit) != "a.jpg");
    assert_eq!((titles(&walk), walk.problems[0].before), (vec!["b.jpg".to_owned(), "d/c.jpg".to_owned()], 1));
}
