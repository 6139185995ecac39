//! Page sizes and orders of lists.

use crate::error::Error;

/// The default number of records on a page. The limit is [`MAX_PAGE_SIZE`].
pub const DEFAULT_PAGE_SIZE: u32 = 100;

/// The largest number of records on a page.
pub const MAX_PAGE_SIZE: u32 = 1_000;

/// The order of a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SortBy {
    /// By name.
    #[default]
    Name,
    /// By the time of creation.
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
