//! The lines of a ledger.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::kind::Kind;

/// One line of a ledger after the first.
///
/// A unit and a job are named by numbers, which the ledger gives out in order. A file is named by its place in its unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case", deny_unknown_fields)]
pub enum Record {
    /// A run begins.
    Run {
        /// Seconds since 1970.
        at: u64,
        /// Of this program.
        version: String,
    },
    /// The unit that the number stands for from here on.
    Unit {
        /// Its number.
        unit: u32,
        /// What it becomes.
        kind: Kind,
        /// The name of its item.
        title: String,
        /// Its files, in order.
        files: Vec<FileFacts>,
    },
    /// The platform gave a place for a file. Whatever was signed for that file before is abandoned.
    Signed {
        /// The unit of the file.
        unit: u32,
        /// The file.
        file: u32,
        /// The item's placeholder.
        item: Uuid,
        /// The key of the object to be stored.
        object: String,
        /// The placeholder that was signed for the file before, and will never be used.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        abandoned: Option<Uuid>,
    },
    /// The store has acknowledged the file.
    Sent {
        /// The unit of the file.
        unit: u32,
        /// The file.
        file: u32,
    },
    /// A job is about to be posted. On disk before it is.
    Post {
        /// The number of the job in this ledger.
        job: u32,
        /// What it registers.
        units: Vec<u32>,
    },
    /// The platform took the job.
    Posted {
        /// The number of the job.
        job: u32,
        /// The platform's id for it.
        id: Uuid,
    },
    /// The job was certainly not taken.
    NotPosted {
        /// The number of the job.
        job: u32,
        /// Why.
        error: String,
    },
    /// The unit is an item of the folder.
    Registered {
        /// The unit.
        unit: u32,
        /// Its item.
        item: Uuid,
    },
    /// The items of these units are rows of the dataset.
    Linked {
        /// The units.
        units: Vec<u32>,
    },
    /// The unit failed. The next run tries it again.
    Failed {
        /// The unit.
        unit: u32,
        /// Where.
        stage: Stage,
        /// Why.
        error: String,
    },
    /// Nobody can say whether the unit became an item. It is not registered again unless that is asked for.
    Unresolved {
        /// The unit.
        unit: u32,
        /// Why.
        error: String,
    },
}

/// What a file is known by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileFacts {
    /// Where it lies.
    pub path: String,
    /// Its length.
    pub size: u64,
    /// When it was last changed, in nanoseconds since 1970.
    pub mtime_ns: i64,
}

/// A step on the way of a unit, as the place of a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Stage {
    /// A file could not be looked at.
    Walk,
    /// A file could not be sent.
    Send,
    /// The platform made no item of it.
    Register,
    /// The item could not be linked to the dataset. It stays in the folder.
    Link,
}

impl Record {
    /// Appends the record as a line.
    pub fn write(&self, lines: &mut Vec<u8>) {
        // A map with strings for keys can be written, and memory does not fail.
        drop(serde_json::to_writer(&mut *lines, self));
        lines.push(b'\n');
    }
}

impl Stage {
    /// The word of the ledger and the report.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Walk => "walk",
            Self::Send => "send",
            Self::Register => "register",
            Self::Link => "link",
        }
    }
}

/// What a unit is known by from one run to the next: its kind and its files, so long that no two units ever have the same.
pub fn unit_key(kind: Kind, files: &[FileFacts]) -> u128 {
    let mut hash = Sha256::new();
    hash.update(kind.as_str());
    for FileFacts { path, size, mtime_ns } in files {
        hash.update((path.len() as u64).to_be_bytes());
        hash.update(path);
        hash.update(size.to_be_bytes());
        hash.update(mtime_ns.to_be_bytes());
    }
    hash.finalize().iter().take(16).fold(0, |key, byte| key << 8 | u128::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ITEM: Uuid = Uuid::from_u128(0x78e5_1061_7311_48a3_82ce_6f44_7ed4_d57b);

    #[test]
    fn lines_are_what_operators_read() {
        #[track_caller]
        fn check(record: &Record, expected: &str) {
            let mut line = Vec::new();
            record.write(&mut line);
            assert_eq!(String::from_utf8(line).expect("UTF-8"), format!("{expected}\n"));
            assert_eq!(serde_json::from_str::<Record>(expected).expect("readable"), *record);
        }
        let files = vec![FileFacts { path: "/p/a.jpg".into(), size: 3, mtime_ns: -4 }];
        check(&Record::Run { at: 5, version: "0.1.0".into() }, r#"{"event":"run","at":5,"version":"0.1.0"}"#);
        check(
            &Record::Unit { unit: 0, kind: Kind::Image, title: "a.jpg".into(), files },
            r#"{"event":"unit","unit":0,"kind":"image","title":"a.jpg","files":[{"path":"/p/a.jpg","size":3,"mtime_ns":-4}]}"#,
        );
        check(
            &Record::Signed { unit: 0, file: 0, item: ITEM, object: "k/1".into(), abandoned: None },
            r#"{"event":"signed","unit":0,"file":0,"item":"78e51061-7311-48a3-82ce-6f447ed4d57b","object":"k/1"}"#,
        );
        check(&Record::Sent { unit: 0, file: 0 }, r#"{"event":"sent","unit":0,"file":0}"#);
        check(&Record::Post { job: 1, units: vec![0, 7] }, r#"{"event":"post","job":1,"units":[0,7]}"#);
        check(
            &Record::Posted { job: 1, id: ITEM },
            r#"{"event":"posted","job":1,"id":"78e51061-7311-48a3-82ce-6f447ed4d57b"}"#,
        );
        check(&Record::NotPosted { job: 1, error: "413".into() }, r#"{"event":"not_posted","job":1,"error":"413"}"#);
        check(
            &Record::Registered { unit: 0, item: ITEM },
            r#"{"event":"registered","unit":0,"item":"78e51061-7311-48a3-82ce-6f447ed4d57b"}"#,
        );
        check(&Record::Linked { units: vec![0] }, r#"{"event":"linked","units":[0]}"#);
        check(
            &Record::Failed { unit: 0, stage: Stage::Register, error: "Corrupted".into() },
            r#"{"event":"failed","unit":0,"stage":"register","error":"Corrupted"}"#,
        );
        check(
            &Record::Unresolved { unit: 0, error: "lost".into() },
            r#"{"event":"unresolved","unit":0,"error":"lost"}"#,
        );
    }

    #[test]
    fn a_key_depends_on_kind_paths_sizes_and_times() {
        let file = |path: &str, size, mtime_ns| FileFacts { path: path.into(), size, mtime_ns };
        let keys = [
            unit_key(Kind::Image, &[file("a", 1, 2)]),
            unit_key(Kind::Video, &[file("a", 1, 2)]),
            unit_key(Kind::Image, &[file("b", 1, 2)]),
            unit_key(Kind::Image, &[file("a", 2, 2)]),
            unit_key(Kind::Image, &[file("a", 1, 3)]),
            unit_key(Kind::Image, &[file("a", 1, 2), file("b", 1, 2)]),
            unit_key(Kind::Image, &[file("b", 1, 2), file("a", 1, 2)]),
        ];
        let distinct: std::collections::HashSet<_> = keys.iter().collect();
        assert_eq!(distinct.len(), keys.len());
        assert_eq!(keys[0], unit_key(Kind::Image, &[file("a", 1, 2)]));
    }
}
