//! `encord upload PATH… --folder F` against the emulator of the platform, as a user runs it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use encord_dev_platform::{Builder, DevPlatform, ItemInfo, Running, Uuid};
use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use super::encord::binary;

/// The emulator, a folder with files, and a place for what runs leave behind.
pub(crate) struct World {
    pub(crate) platform: Running,
    runtime: Runtime,
    folder: TempDir,
}

/// A run that has ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stderr: String,
    pub(crate) stdout: String,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(|builder| builder)
    }

    /// A world whose emulator is made so.
    pub(crate) fn with(make: impl FnOnce(Builder) -> Builder) -> Self {
        let runtime = Runtime::new().unwrap();
        let platform = runtime.block_on(make(DevPlatform::builder().log_limit(1_000_000)).start()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("files")).unwrap();
        fs::create_dir(folder.path().join("home")).unwrap();
        Self { platform, runtime, folder }
    }

    /// Where the files are.
    pub(crate) fn files(&self) -> PathBuf {
        self.folder.path().join("files")
    }

    /// Where the program is at home.
    pub(crate) fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.files().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    /// So many small images, each another.
    pub(crate) fn write_images(&self, count: usize) {
        for index in 0..count {
            self.write(&format!("{}/{index:05}.jpg", index % 7), format!("image {index}"));
        }
    }

    /// The command, with these words after `upload PATH`.
    pub(crate) fn command(&self, words: &str) -> Command {
        let mut command = self.encord("upload");
        command.arg(self.files()).args(words.split_whitespace());
        command
    }

    /// The program, with these words.
    pub(crate) fn encord(&self, words: &str) -> Command {
        let mut command = Command::new(binary());
        command.args(words.split_whitespace());
        self.at_home(&mut command);
        command
    }

    /// In an environment of its own.
    pub(crate) fn at_home(&self, command: &mut Command) {
        command.current_dir(self.home()).env_clear().env("HOME", self.home()).env("TMPDIR", self.home());
        command.env("ENCORD_DOMAIN", self.platform.domain()).env("ENCORD_SSH_KEY", self.platform.key().to_openssh());
    }

    pub(crate) fn run(&self, words: &str) -> Ended {
        Ended::of(self.command(words))
    }

    /// Runs it to its end, which must be this.
    #[track_caller]
    pub(crate) fn ends(&self, words: &str, code: i32) -> Ended {
        let ended = self.run(words);
        assert_eq!(ended.code, Some(code), "{}\n{}", ended.stdout, ended.stderr);
        ended
    }

    pub(crate) fn start(&self, words: &str) -> Child {
        self.command(words).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    /// The folder of this name.
    #[track_caller]
    pub(crate) fn folder(&self, name: &str) -> Uuid {
        let found: Vec<_> = self.platform.folders().into_iter().filter(|folder| folder.name == name).collect();
        assert_eq!(found.len(), 1, "{found:?}");
        found[0].uuid
    }

    /// The items of a folder but for those within groups, by name: how often.
    pub(crate) fn items(&self, folder: &str) -> BTreeMap<String, usize> {
        let mut items = BTreeMap::new();
        for ItemInfo { name, .. } in self.top_items(folder) {
            *items.entry(name).or_default() += 1;
        }
        items
    }

    pub(crate) fn top_items(&self, folder: &str) -> Vec<ItemInfo> {
        let mut items = self.platform.items(self.folder(folder));
        items.retain(|item| !item.is_frame);
        items
    }

    /// The rows of the only dataset by title: how often.
    pub(crate) fn rows(&self) -> BTreeMap<String, usize> {
        let mut rows = BTreeMap::new();
        for row in self.platform.rows(self.dataset()) {
            *rows.entry(row.title).or_default() += 1;
        }
        rows
    }

    /// The only dataset.
    #[track_caller]
    pub(crate) fn dataset(&self) -> Uuid {
        let [dataset] = *self.platform.datasets() else { panic!("one dataset, not {:?}", self.platform.datasets()) };
        dataset
    }

    /// The ledgers that runs have left.
    pub(crate) fn ledgers(&self) -> Vec<PathBuf> {
        let folder = self.home().join(".local/state/encord");
        let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
        entries.map(|entry| entry.unwrap().path()).collect()
    }

    /// The records of the only ledger.
    pub(crate) fn records(&self) -> Vec<Value> {
        let text = fs::read_to_string(&self.ledgers()[0]).unwrap();
        text.lines().skip(1).map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// So many items are in the folder, each once, and each is a row of the dataset once. An item with the name of a file has
    /// its bytes.
    #[track_caller]
    pub(crate) fn check_exact(&self, folder: &str, expected: usize) {
        let (items, rows) = (self.items(folder), self.rows());
        assert!(items.values().all(|count| *count == 1), "doubled items: {items:?}");
        assert!(rows.values().all(|count| *count == 1), "doubled rows: {rows:?}");
        assert_eq!((items.len(), rows.len()), (expected, expected));
        assert!(items.keys().eq(rows.keys()));
        for item in self.top_items(folder).iter().filter(|item| item.children.is_empty()) {
            if let Ok(content) = fs::read(self.files().join(&item.name)) {
                assert!(self.stored(item) == content, "{} has other bytes", item.name);
            }
        }
    }

    /// What the store has for an item.
    pub(crate) fn stored(&self, item: &ItemInfo) -> Vec<u8> {
        let read = self.platform.store().read(item.url.as_ref().unwrap());
        self.runtime.block_on(read).unwrap().unwrap().to_vec()
    }
}

impl Ended {
    pub(crate) fn of(mut command: Command) -> Self {
        let output = command.stdin(Stdio::null()).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code(), stderr: text(output.stderr), stdout: text(output.stdout) }
    }
}

/// The lines of a report.
pub(crate) fn report(path: &Path) -> Vec<Value> {
    fs::read_to_string(path).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}
