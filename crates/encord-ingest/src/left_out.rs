//! What a walk leaves out, and why.

use std::path::PathBuf;

/// So many names are kept of each reason.
const MAX_EXAMPLES: usize = 5;

/// Why something is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum LeftOut {
    /// Neither the name nor the content says what it is.
    UnknownKind,
    /// It is no part of such a group.
    NotOfTheGroup,
    /// The name begins with a dot.
    Hidden,
    /// A system or a program has left it behind.
    LeftBehind,
    /// `.encordignore` says so.
    Ignored,
    /// `--include` or `--exclude` says so.
    NotIncluded,
    /// A link that leads to a folder above itself.
    Loop,
    /// A link whose target is not there.
    Dangling,
    /// A pipe, a socket or a device.
    NotAFile,
    /// A file of the run itself.
    OwnFile,
}

/// How many, and the first of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names {
    /// How many files and folders.
    pub count: u64,
    /// The first of them.
    pub examples: Vec<PathBuf>,
}

impl LeftOut {
    /// The reason in words.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UnknownKind => "of no known kind",
            Self::NotOfTheGroup => "of a kind that does not belong into the groups",
            Self::Hidden => "hidden",
            Self::LeftBehind => "left behind by a system",
            Self::Ignored => "ignored by .encordignore",
            Self::NotIncluded => "not included, or excluded",
            Self::Loop => "links to a folder above",
            Self::Dangling => "links that lead nowhere",
            Self::NotAFile => "not regular files",
            Self::OwnFile => "files of this run",
        }
    }
}

impl Names {
    pub(crate) fn add(&mut self, path: PathBuf) {
        self.count += 1;
        if self.examples.len() < MAX_EXAMPLES {
            self.examples.push(path);
        }
    }
}
