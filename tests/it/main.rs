//! One test binary for everything that crosses crates or needs a real peer.
