//! How lists are cut into pages, and sorted.

use crate::error::Error;

/// So many records come with a page, unless more or fewer are asked for. The most is [`MAX_PAGE_SIZE`].
pub const DEFAULT_PAGE_SIZE: u32 = 100;

/// So many records come with a page at most.
pub const MAX_PAGE_SIZE: u32 = 1_000;

/// What a list is sorted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SortBy {
    /// By name.
    #[default]
    Name,
    /// By the time of making.
    CreatedAt,
}

impl SortBy {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::CreatedAt => "createdAt",
        }
    }
}

pub(crate) fn check_page_size(size: u32) -> Result<(), Error> {
    if (1..=MAX_PAGE_SIZE).contains(&size) {
        return Ok(());
    }
    Err(Error::input(format!("page_size must be from 1 to {MAX_PAGE_SIZE}, not {size}")))
}
