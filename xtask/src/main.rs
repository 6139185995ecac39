//! The project's checks and chores, run as `cargo xtask`.

fn main() {}
