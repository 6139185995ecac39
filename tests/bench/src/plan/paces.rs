//! The links and stores on which the pace is measured, and the aims.

use crate::outcome::grouped;

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;

/// The pace on six links, against fixed numbers.
pub(super) const P13: &[PaceCase] = &[
    PaceCase { size: 4 * KIB, link: link(150, 100), ..FAR },
    PaceCase { files: 10_000, size: 4 * KIB, link: link(50, 0), over_best: 1.15, ..FAR },
    PaceCase { link: link(50, 1000), ..FAR },
    PaceCase { files: 500, size: MIB, link: link(10, 1000), ..FAR },
    PaceCase { link: link(10, 0), ..FAR },
    PaceCase { link: link(0, 0), store: Store { service_ms: 20, ..STORE }, ..FAR },
];

/// The pace on slow links, against curl and the SDK at their defaults.
pub(super) const P14: &[PaceCase] = &[
    PaceCase { link: link(50, 1000), beside: PEERS, over_peers: 4.0, ..FAR },
    PaceCase { link: link(10, 1000), beside: PEERS, ..FAR },
    PaceCase { files: 1000, link: link(50, 100), beside: PEERS, ..FAR },
    PaceCase { link: link(0, 0), store: Store { service_ms: 20, ..STORE }, beside: PEERS, ..FAR },
];

/// The pace at stores with limits.
pub(super) const P15: &[PaceCase] = &[
    PaceCase { files: 2_400, store: Store { limits: &[("--places", 64)], ..BUSY }, ..LIMITED },
    PaceCase { files: 150, store: Store { limits: &[("--rate", 20)], ..STORE }, ..LIMITED },
    PaceCase { files: 150, store: Store { limits: &[("--rate", 20), ("--retry-after", 1)], ..STORE }, ..LIMITED },
    PaceCase { files: 5_000, store: Store { banned: 50, ..BUSY }, ..LIMITED },
];

/// The pace on a link that changes in the middle.
pub(super) const P16: &[PaceCase] = &[
    PaceCase { files: 10_000, link: link(50, 1000), then: Some((3.0, link(50, 100))), over_best: 1.3, ..FAR },
    PaceCase { files: 10_000, link: link(10, 1000), then: Some((3.0, link(150, 1000))), over_best: 1.3, ..FAR },
];

/// A link, a store behind it, and the programs that upload through them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PaceCase {
    pub(crate) files: u64,
    pub(crate) size: u64,
    pub(crate) link: Link,
    /// After so many seconds the link is another one.
    pub(crate) then: Option<(f64, Link)>,
    pub(crate) store: Store,
    /// Beside ours at its default.
    pub(crate) beside: &'static [Beside],
    /// Our time over that of the best fixed number that loses nothing, at most.
    pub(crate) over_best: f64,
    /// The time of each peer over ours, at least.
    pub(crate) over_peers: f64,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Link {
    pub(crate) rtt_ms: u64,
    /// 0: no limit.
    pub(crate) mbit: u64,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Store {
    pub(crate) service_ms: u64,
    /// The options of `bench-server` that limit it.
    pub(crate) limits: &'static [(&'static str, u64)],
    /// Each so many-th object is refused for a day; 0: none.
    pub(crate) banned: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Beside {
    /// Ours, always so many under way.
    Fixed(u64),
    /// `curl --parallel`, with `--parallel-max` if that is not zero.
    Curl(u64),
    Sdk,
}

/// What P13 has in common.
const FAR: PaceCase = PaceCase {
    files: 2_000,
    size: 64 * KIB,
    link: link(50, 0),
    then: None,
    store: STORE,
    beside: FIXED,
    over_best: 1.5,
    over_peers: 1.0,
};

/// What P15 has in common.
const LIMITED: PaceCase = PaceCase {
    link: link(20, 0),
    beside: &[Beside::Fixed(4), Beside::Fixed(32), Beside::Fixed(64), Beside::Fixed(256)],
    over_best: 1.3,
    ..FAR
};

const STORE: Store = Store { service_ms: 0, limits: &[], banned: 0 };
const BUSY: Store = Store { service_ms: 20, ..STORE };
const FIXED: &[Beside] = &[Beside::Fixed(8), Beside::Fixed(32), Beside::Fixed(128), Beside::Fixed(256)];
const PEERS: &[Beside] = &[Beside::Curl(0), Beside::Curl(300), Beside::Sdk];

const fn link(rtt_ms: u64, mbit: u64) -> Link {
    Link { rtt_ms, mbit }
}

impl PaceCase {
    pub(crate) fn label(&self) -> String {
        let Self { files, size, link, then, store, .. } = self;
        let mut label = format!("{} files of {} KiB, {}", grouped(*files), size / 1024, link.label());
        if store.service_ms > 0 {
            label += &*format!(", {} ms each", store.service_ms);
        }
        for (limit, value) in store.limits {
            label += &*format!(", {} {value}", limit.trim_start_matches("--"));
        }
        if store.banned > 0 {
            label += &*format!(", one in {} refused for a day", store.banned);
        }
        if let Some((seconds, link)) = then {
            label += &*format!("; after {seconds} s {}", link.label());
        }
        label
    }
}

impl Beside {
    pub(crate) fn name(self) -> String {
        match self {
            Self::Fixed(number) => format!("encord, always {number}"),
            Self::Curl(0) => "curl --parallel".to_owned(),
            Self::Curl(number) => format!("curl, {number} at once"),
            Self::Sdk => "Python SDK".to_owned(),
        }
    }
}

impl Link {
    fn label(self) -> String {
        match self.mbit {
            0 => format!("{} ms", self.rtt_ms),
            mbit => format!("{} ms, {} Mbit/s", self.rtt_ms, grouped(mbit)),
        }
    }
}
