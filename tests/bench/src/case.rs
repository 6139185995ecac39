//! The kinds of benchmarks, and their descriptions.

use crate::outcome::grouped;

/// A benchmark of the list.
#[derive(Debug)]
pub(crate) struct Benchmark {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) work: Work,
}

#[derive(Debug)]
pub(crate) enum Work {
    /// Programs that upload the same files to the same server, in turns.
    Uploads(&'static [Case]),
    /// Uploads through a slow link, or to a store with limits.
    Paces(&'static [PaceCase]),
    /// Folders that become rows of a dataset.
    Folders(&'static [FolderCase]),
    /// Times that the programs measure themselves.
    Timings(Timings),
    /// The dependencies of each published crate.
    Packages,
}

/// One workload, and the programs that do it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Case {
    pub(crate) files: u64,
    pub(crate) size: u64,
    pub(crate) tls: bool,
    /// How long the server takes to answer, in milliseconds.
    pub(crate) service_ms: u64,
    pub(crate) in_flight: InFlight,
    /// The programs to compare with ours.
    pub(crate) peers: &'static [Program],
    pub(crate) aims: &'static [Aim],
    /// If set, smaller sizes are measured too: a thousandth, a hundredth and a tenth.
    pub(crate) growth: Option<Growth>,
}

/// The number of uploads at once.
#[derive(Debug, Clone, Copy)]
pub(crate) enum InFlight {
    /// The default of each program. curl and the bare loops get the number of ours.
    Default,
    Is(u64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Growth {
    Files,
    Size,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Program {
    Ours,
    Sdk,
    Curl,
    Reqwest,
    Hyper,
}

impl Program {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ours => "encord",
            Self::Sdk => "Python SDK",
            Self::Curl => "curl",
            Self::Reqwest => "bare reqwest",
            Self::Hyper => "bare hyper-util",
        }
    }
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Aim {
    /// A lower bound for the peer's time divided by ours.
    Faster(Program, f64),
    /// An upper bound for our CPU time divided by the peer's.
    Cpu(Program, f64),
    /// An upper bound for our peak memory, in MiB.
    Peak(f64),
    /// The number of connections divided by the number of uploads at once: at most 1.
    Connections,
    /// The time per file divided by that with a hundredth of the files: at most 1.
    PerFile,
}

/// Figures of `bench-pure`, and the same figures of the SDK.
#[derive(Debug)]
pub(crate) struct Timings {
    pub(crate) topic: Topic,
    pub(crate) compared: &'static [Timing],
    /// Whether the first figure is also measured at smaller sizes.
    pub(crate) growth: bool,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Topic {
    /// Lists of models, which only the seed SDK has.
    Uids,
    DataType,
    Settings,
}

impl Topic {
    /// The argument of the programs.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Uids => "uids",
            Self::DataType => "data-type",
            Self::Settings => "settings",
        }
    }

    /// The SDK for comparison, if any.
    pub(crate) fn sdk(self) -> Option<&'static str> {
        match self {
            Self::Uids => Some("seed"),
            Self::DataType => Some("current"),
            Self::Settings => None,
        }
    }
}

#[derive(Debug)]
pub(crate) struct Timing {
    pub(crate) label: &'static str,
    /// The name of our figure.
    pub(crate) ours: &'static str,
    pub(crate) against: Against,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Against {
    /// A lower bound for this figure of the SDK divided by ours.
    Sdk(&'static str, f64),
    /// An upper bound in nanoseconds.
    Nothing(f64),
}

/// A link, a store behind it, and the programs that upload through them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PaceCase {
    pub(crate) files: u64,
    pub(crate) size: u64,
    pub(crate) link: Link,
    /// A later change of the link: the time in seconds, and the new link.
    pub(crate) then: Option<(f64, Link)>,
    pub(crate) store: Store,
    /// The programs to compare with ours at its default.
    pub(crate) beside: &'static [Beside],
    /// An upper bound for our time divided by that of the best fixed number that loses no file.
    pub(crate) over_best: f64,
    /// A lower bound for the time of each peer divided by ours.
    pub(crate) over_peers: f64,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Link {
    pub(crate) rtt_ms: u64,
    /// The bandwidth; 0 means no limit.
    pub(crate) mbit: u64,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Store {
    pub(crate) service_ms: u64,
    /// The options of `bench-server` for its limits.
    pub(crate) limits: &'static [(&'static str, u64)],
    /// Every N-th object is refused for a day; 0 means none.
    pub(crate) banned: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Beside {
    /// Our uploader with a fixed number of uploads at once.
    Fixed(u64),
    /// `curl --parallel`, with `--parallel-max` if that is not zero.
    Curl(u64),
    Sdk,
}

/// A folder of files that become rows of a dataset.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FolderCase {
    pub(crate) files: u64,
    pub(crate) size: u64,
    /// How long each call of the platform and each upload takes, in milliseconds.
    pub(crate) delay_ms: u32,
    pub(crate) beside: BesideFolder,
}

/// What the run of a folder is compared with.
#[derive(Debug, Clone, Copy)]
pub(crate) enum BesideFolder {
    /// Our own run with a tenth of the files.
    Tenth,
    /// The loop of the SDK. Its time divided by ours has this lower bound.
    Sdk { at_least: f64 },
}

pub(crate) const KIB: u64 = 1024;
pub(crate) const MIB: u64 = 1024 * KIB;

impl Case {
    /// The name of the case in tables.
    pub(crate) fn label(&self) -> String {
        let size = match self.size {
            size if size >= 1024 * MIB && size.is_multiple_of(1024 * MIB) => format!("{} GiB", size / MIB / 1024),
            size if size >= MIB => format!("{} MiB", size / MIB),
            size => format!("{} KiB", size / KIB),
        };
        let mut label = if self.files == 1 {
            format!("one file of {size}")
        } else {
            format!("{} files of {size}", grouped(self.files))
        };
        if self.tls {
            label += ", TLS";
        }
        if self.service_ms > 0 {
            label += &*format!(", {} ms each", self.service_ms);
        }
        if let InFlight::Is(number) = self.in_flight {
            label += &*format!(", {number} in flight");
        }
        label
    }

    /// Returns the smallest case that still uses every part, for the smoke run.
    #[must_use]
    pub(crate) fn smoke(self) -> Self {
        Self {
            files: self.files.min(40),
            // Larger than the size from which `Expect: 100-continue` is sent.
            size: self.size.min(17 * MIB),
            service_ms: self.service_ms.min(2),
            ..self
        }
    }

    /// Returns all sizes of the case, the smallest first.
    pub(crate) fn sizes(self) -> Vec<Self> {
        let parts: &[u64] = if self.growth.is_some() { &[1000, 100, 10, 1] } else { &[1] };
        let part = |part: &u64| match self.growth {
            Some(Growth::Files) => Self { files: (self.files / part).max(1), ..self },
            Some(Growth::Size) => Self { size: (self.size / part).max(1), ..self },
            None => self,
        };
        parts.iter().map(part).collect()
    }
}
