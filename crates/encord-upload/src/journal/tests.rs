//! What a journal stores, and how it reads files that are cut off, damaged or not journals.

use std::fs;
use std::time::Duration;

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;

const URL: &str = "https://h/b/a.jpg?X-Goog-Signature=s3cret";

fn line(path: &str, size: u64, url: &str) -> Line {
    let modified = UNIX_EPOCH + Duration::new(1_700_000_000, 123_456_789);
    line_of(path, size, modified, Some(url))
}

/// As lines were before they had a time of change.
fn line_of(path: &str, size: u64, modified: SystemTime, url: Option<&str>) -> Line {
    let file = tempfile::tempfile().and_then(|file| file.metadata()).expect("a file");
    let mut state = FileState::of(&file);
    (state.length, state.modified, state.changed) = (size, Some(modified), None);
    Line::new(path.as_ref(), &state, url.map(SignedUrl::new).as_ref()).expect("a line")
}

/// Writes a journal with these lines after the header.
fn journal(lines: &[u8]) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("journal");
    fs::write(&path, [HEADER.as_bytes(), b"\n", lines].concat()).expect("written");
    (folder, path)
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).expect("readable")
}

#[test]
fn u9_what_is_done_is_found_again_and_no_query_is_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("journal");
    let journal = Journal::open(&path).expect("new");
    assert!(journal.is_empty());
    journal.write(&line("a.jpg", 123, URL));
    journal.write(&line_of("b", 0, UNIX_EPOCH - Duration::from_nanos(1), None));
    journal.finish().expect("written");
    assert_eq!(
        text(&path),
        "{\"journal\":\"encord-upload\",\"version\":1}\n\
         {\"path\":\"a.jpg\",\"size\":123,\"mtime_ns\":1700000000123456789,\"target\":\"h/b/a.jpg\"}\n\
         {\"path\":\"b\",\"size\":0,\"mtime_ns\":-1,\"target\":\"\"}\n"
    );
    assert!(!journal.has(&line("a.jpg", 123, URL)), "only what was there when it was opened");
    drop(journal);

    let journal = Journal::open(&path).expect("there");
    assert_eq!((journal.len(), journal.unreadable()), (2, 0));
    // With a new signature it is the same item.
    assert!(journal.has(&line("a.jpg", 123, "https://h/b/a.jpg?X-Goog-Signature=other")));
    assert!(!journal.has(&line("a.jpg", 123, "https://h/b/b.jpg")));
    assert!(!journal.has(&line("a.jpg", 124, URL)));
    assert!(!journal.has(&line("A.jpg", 123, URL)));
    // Without a target only the file is compared.
    assert!(journal.has(&Line { target: String::new(), ..line("a.jpg", 123, URL) }));
    assert!(!journal.has(&Line { target: String::new(), ..line("a.jpg", 124, URL) }));
    let touched = line_of("a.jpg", 123, UNIX_EPOCH, Some(URL));
    assert!(!journal.has(&touched));
}

/// The only thread for blocking work is busy, as on a disk that hangs.
#[test]
fn a_disk_that_hangs_does_not_stop_the_runtime() {
    let (folder, path) = journal(&[&serde_json::to_vec(&line("other", 1, URL)).expect("a line")[..], b"\n"].concat());
    let journal = Journal::open(&path).expect("there");
    let file = folder.path().join("a.jpg");
    fs::write(&file, "x").expect("written");
    let mut sent = Sent::default();
    sent.file = Some(FileState::of(&file.metadata().expect("metadata")));
    let item = UploadItem::new(&file, URL);
    let url = SignedUrl::new(URL);
    let runtime = tokio::runtime::Builder::new_current_thread().max_blocking_threads(1).build().expect("a runtime");
    runtime.block_on(async {
        let (disk, answer) = std::sync::mpsc::channel::<()>();
        let hung = spawn_blocking(move || answer.recv().is_err());
        let (mut looks, mut writes) = (Box::pin(journal.has_item(&item)), Box::pin(journal.record(&file, &sent, &url)));
        let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(looks.as_mut().poll(&mut cx).is_pending());
        assert!(writes.as_mut().poll(&mut cx).is_pending());
        drop(disk);
        assert!(hung.await.expect("no panic"));
        assert!(!looks.await);
        writes.await;
    });
    assert_eq!(text(&path).lines().count(), 3);
}

#[test]
fn u6_the_time_of_change_is_compared_where_a_line_has_it() {
    let (_folder, path) = journal(b"");
    let known = || Line { ctime_ns: Some(-5), ..line("a.jpg", 123, URL) };
    let old = line("old.jpg", 123, URL);
    let journal = Journal::open(&path).expect("new");
    journal.write(&known());
    journal.write(&old);
    drop(journal);
    assert!(text(&path).contains(r#""ctime_ns":-5,"target""#), "{}", text(&path));

    let journal = Journal::open(&path).expect("there");
    let anywhere = |line: Line| Line { target: String::new(), ..line };
    for (line, is_done) in [
        (known(), true),
        (anywhere(known()), true),
        (Line { ctime_ns: Some(-4), ..known() }, false),
        (anywhere(Line { ctime_ns: Some(-4), ..known() }), false),
        // An earlier version did not write them down.
        (Line { ctime_ns: Some(1), ..old }, true),
    ] {
        assert_eq!(journal.has(&line), is_done, "{line:?}");
    }
}

#[test]
fn a_journal_in_use_is_refused() {
    let (_folder, path) = journal(b"");
    let first = Journal::open(&path).expect("free");
    let error = Journal::open(&path).expect_err("in use");
    assert_eq!(error.to_string(), format!("journal {}: already open, here or in another process", path.display()));
    drop(first);
    Journal::open(&path).expect("free again");
}

#[cfg(unix)]
#[test]
fn a_file_system_without_locks_is_told_from_a_lock_that_fails() {
    for errno in [Errno::NOSYS, Errno::NOTSUP, Errno::OPNOTSUPP, Errno::NOLCK] {
        assert!(has_no_locks(&errno.into()), "{errno}");
    }
    assert!(has_no_locks(&io::ErrorKind::Unsupported.into()));
    for errno in [Errno::IO, Errno::INTR, Errno::BADF] {
        assert!(!has_no_locks(&errno.into()), "{errno}");
    }
}

#[test]
fn a_journal_that_is_only_read_is_left_as_it_is() {
    let text_of_line = serde_json::to_string(&line("a.jpg", 123, URL)).expect("written");
    let (_folder, path) = journal(format!("{text_of_line}\n\0\n{text_of_line}").as_bytes());
    let before = text(&path);
    let read = Journal::read_only(&path).expect("a journal");
    assert_eq!((read.len(), read.unreadable()), (1, 1));
    assert!(read.has(&line("a.jpg", 123, URL)));
    read.write(&line("b.jpg", 1, URL));
    read.finish().expect("nothing to write");
    assert_eq!(text(&path), before);

    // One process may write the journal while another reads it.
    let written = Journal::open(&path).expect("free");
    assert_eq!(Journal::read_only(&path).expect("readable").len(), 1);
    drop(written);
    fs::write(&path, "").expect("written");
    assert!(Journal::read_only(&path).expect("an empty one").is_empty());
    assert_eq!(text(&path), "");
    fs::remove_file(&path).expect("removed");
    let error = Journal::read_only(&path).expect_err("not there").to_string();
    assert_eq!(error, format!("journal {}: No such file or directory (os error 2)", path.display()));
    assert!(!path.exists());
}

#[test]
fn a_file_that_is_no_journal_is_left_as_it_is() {
    #[track_caller]
    fn check(content: &[u8], reason: &str) {
        let (_folder, path) = journal(b"");
        fs::write(&path, content).expect("written");
        let error = Journal::open(&path).expect_err("refused");
        assert_eq!(error.to_string(), format!("journal {}: {reason}", path.display()));
        assert_eq!(Journal::read_only(&path).expect_err("refused").to_string(), error.to_string());
        assert_eq!(fs::read(&path).expect("there"), content);
    }
    const OTHER: &str = "the file is not a journal of uploads; it is left as it is";
    check(b"{\"path\": \"a.jpg\", \"signed_url\": \"https://h/a\"}\n", OTHER);
    check(b"x", OTHER);
    check(b"\n", OTHER);
    check(&[0; 5000], OTHER);
    check(b"{\"journal\":\"encord-upload\",\"version\":2}\n", "written by a later version of this program");

    let folder = tempfile::tempdir().expect("a folder");
    let error = Journal::open(folder.path()).expect_err("a folder is none").to_string();
    assert!(error.starts_with(&format!("journal {}: ", folder.path().display())), "{error}");
}

#[test]
fn lines_that_cannot_be_read_are_passed_over() {
    let good = serde_json::to_string(&line("a", 1, URL)).expect("written");
    let long = "x".repeat(usize::try_from(MAX_LINE_BYTES).expect("small") + 10);
    let (_folder, path) = journal(format!("{good}\n\0\0\0\n{long}\n{{}}\n{good}\n").as_bytes());
    let journal = Journal::open(&path).expect("a journal");
    assert_eq!((journal.len(), journal.unreadable()), (2, 3));
    journal.write(&line("b", 2, URL));
    assert!(text(&path).ends_with("\"target\":\"h/b/a.jpg\"}\n"));
    assert_eq!(text(&path).lines().count(), 7);
}

#[test]
fn a_journal_cut_off_anywhere_loses_the_last_line_only() {
    let lines: Vec<String> =
        (0..3).map(|n| serde_json::to_string(&line("größe.jpg", n, URL)).expect("written") + "\n").collect();
    let whole = [HEADER, "\n", &lines.concat()].concat();
    for cut in 0..=whole.len() {
        let (_folder, path) = journal(b"");
        fs::write(&path, &whole.as_bytes()[..cut]).expect("written");
        let journal = Journal::open(&path).expect("a journal");
        let lines_left = whole.as_bytes()[..cut].split(|byte| *byte == b'\n').count() - 1;
        assert_eq!((journal.len(), journal.unreadable()), (lines_left.saturating_sub(1), 0), "cut at {cut}");
        journal.write(&line("new", 9, URL));
        drop(journal);
        let journal = Journal::open(&path).expect("still a journal");
        assert!(journal.has(&line("new", 9, URL)));
        assert_eq!(journal.unreadable(), 0, "cut at {cut}: {}", text(&path));
    }
}

/// `/dev/full` refuses every byte.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_told_at_the_end() {
    let (_folder, path) = journal(b"");
    let journal = Journal::open(&path).expect("a journal");
    {
        let mut writer = journal.shared.writer.as_ref().expect("one that is written").lock().expect("not poisoned");
        writer.file = OpenOptions::new().write(true).open("/dev/full").expect("Linux has it");
    }
    journal.write(&line("a", 1, URL));
    let error = journal.finish().expect_err("nothing was written").to_string();
    assert!(error.starts_with(&format!("journal {}: ", path.display())), "{error}");
}

proptest! {
    #[test]
    fn hostile_journals_never_panic(lines in proptest::collection::vec(any::<u8>(), 0..200)) {
        let (_folder, path) = journal(&lines);
        let journal = Journal::open(&path).expect("the header is right");
        journal.write(&line("new", 9, URL));
        drop(journal);
        prop_assert!(Journal::open(&path).expect("still a journal").has(&line("new", 9, URL)));
    }
}
