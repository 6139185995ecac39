//! The Rust examples of the documents that belong to no crate, run as doctests.

macro_rules! documents {
    ($($name:ident: $path:literal,)*) => {
        $(
            #[doc = include_str!($path)]
            #[cfg(doctest)]
            struct $name;
        )*
    };
}

documents! {
    Readme: "../README.md",
    Migrating: "../docs/migrating-from-python.md",
}
