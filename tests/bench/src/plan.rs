//! The list of benchmarks and their aims. `docs/performance.md` explains it.

use crate::outcome::grouped;
use crate::paces::{Beside, Link, PaceCase, Store};

/// One line of the list.
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
    /// Times that programs measure themselves.
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
    /// The programs beside ours.
    pub(crate) peers: &'static [Program],
    pub(crate) aims: &'static [Aim],
    /// If given, smaller sizes are measured too: a thousandth, a hundredth and a tenth.
    pub(crate) growth: Option<Growth>,
}

/// How many uploads are under way at once.
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
    /// The peer's time over ours, at least.
    Faster(Program, f64),
    /// Our CPU time over the peer's, at most.
    Cpu(Program, f64),
    /// Our peak memory in MiB, at most.
    Peak(f64),
    /// Connections over the number in flight, at most 1.
    Connections,
    /// The time per file over that of a hundredth of the files, at most 1.
    PerFile,
}

/// Figures that `bench-pure` prints, and those of the SDK beside them.
#[derive(Debug)]
pub(crate) struct Timings {
    pub(crate) topic: Topic,
    pub(crate) compared: &'static [Timing],
    /// Whether the first of them is also taken at smaller sizes.
    pub(crate) growth: bool,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Topic {
    /// A list of models. The seed SDK is the last one that has them.
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
    /// This figure of the SDK, which is at least so many times ours.
    Sdk(&'static str, f64),
    /// Nanoseconds, at most.
    Nothing(f64),
}

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;

/// P1. The other cases are written as differences from it.
const SMALL: Case = Case {
    files: 2_000,
    size: 64 * KIB,
    tls: false,
    service_ms: 0,
    in_flight: InFlight::Default,
    peers: &[Program::Sdk],
    aims: &[Aim::Faster(Program::Sdk, 25.0)],
    growth: None,
};

const LARGE: Case = Case {
    files: 1,
    size: 2048 * MIB,
    peers: &[Program::Curl],
    aims: &[Aim::Faster(Program::Curl, 1.0), Aim::Peak(32.0)],
    ..SMALL
};

pub(crate) const BENCHMARKS: &[Benchmark] = &[
    Benchmark {
        name: "P1",
        about: "small files, defaults",
        work: Work::Uploads(&[
            SMALL,
            Case { files: 200_000, peers: &[], aims: &[], growth: Some(Growth::Files), ..SMALL },
        ]),
    },
    Benchmark {
        name: "P2",
        about: "small files, the same number in flight",
        work: Work::Uploads(&[
            Case { in_flight: InFlight::Is(16), ..AGAINST_LOOPS },
            Case { in_flight: InFlight::Is(32), ..AGAINST_LOOPS },
        ]),
    },
    Benchmark {
        name: "P3",
        about: "small files, a server that takes 20 ms",
        work: Work::Uploads(&[Case {
            service_ms: 20,
            peers: &[Program::Sdk, Program::Curl],
            aims: &[Aim::Faster(Program::Sdk, 8.0), Aim::Faster(Program::Curl, 1.0)],
            ..SMALL
        }]),
    },
    Benchmark {
        name: "P4",
        about: "small files over TLS",
        work: Work::Uploads(&[Case {
            tls: true,
            peers: &[Program::Sdk, Program::Curl],
            aims: &[Aim::Faster(Program::Sdk, 25.0), Aim::Faster(Program::Curl, 1.2)],
            ..SMALL
        }]),
    },
    Benchmark {
        name: "P5",
        about: "one large file",
        work: Work::Uploads(&[
            LARGE,
            Case { tls: true, ..LARGE },
            Case { peers: &[], aims: &[], growth: Some(Growth::Size), ..LARGE },
        ]),
    },
    Benchmark {
        name: "P6",
        about: "very many files",
        work: Work::Uploads(&[Case {
            files: 100_000,
            size: 4 * KIB,
            peers: &[],
            aims: &[Aim::Peak(64.0), Aim::Connections, Aim::PerFile],
            growth: Some(Growth::Files),
            ..SMALL
        }]),
    },
    Benchmark {
        name: "P7",
        about: "uids, from JSON to the distinct set",
        work: Work::Timings(Timings {
            topic: Topic::Uids,
            compared: &[Timing {
                label: "from JSON",
                ours: "from_json_slice_ns",
                against: Against::Sdk("from_json_ns", 2.0),
            }],
            growth: true,
        }),
    },
    Benchmark {
        name: "P8",
        about: "uids, the function alone on loaded models",
        work: Work::Timings(Timings {
            topic: Topic::Uids,
            compared: &[
                Timing {
                    label: "the first call",
                    ours: "function_ns",
                    against: Against::Sdk("function_first_ns", 2.5),
                },
                Timing {
                    label: "a repeated call",
                    ours: "function_ns",
                    against: Against::Sdk("function_repeated_ns", 1.2),
                },
            ],
            growth: false,
        }),
    },
    Benchmark {
        name: "P9",
        about: "DataType, parsed and upper-cased",
        work: Work::Timings(Timings {
            topic: Topic::DataType,
            compared: &[
                Timing { label: "parse", ours: "from_value_ns", against: Against::Sdk("from_value_ns", 100.0) },
                Timing {
                    label: "parse upper case",
                    ours: "from_upper_case_string_ns",
                    against: Against::Sdk("from_upper_case_string_ns", 100.0),
                },
                Timing {
                    label: "to upper case",
                    ours: "to_upper_case_string_ns",
                    against: Against::Sdk("to_upper_case_string_ns", 100.0),
                },
                Timing { label: "parse", ours: "from_value_ns", against: Against::Nothing(10.0) },
                Timing {
                    label: "parse upper case",
                    ours: "from_upper_case_string_ns",
                    against: Against::Nothing(10.0),
                },
                Timing { label: "to upper case", ours: "to_upper_case_string_ns", against: Against::Nothing(10.0) },
            ],
            growth: false,
        }),
    },
    Benchmark {
        name: "P10",
        about: "the settings of one upload, resolved",
        work: Work::Timings(Timings {
            topic: Topic::Settings,
            compared: &[Timing { label: "resolve", ours: "over_ns", against: Against::Nothing(20.0) }],
            growth: false,
        }),
    },
    Benchmark {
        name: "P11",
        about: "CPU time per file",
        work: Work::Uploads(&[Case {
            files: 10_000,
            peers: &[Program::Hyper],
            aims: &[Aim::Cpu(Program::Hyper, 1.15)],
            ..SMALL
        }]),
    },
    Benchmark { name: "P12", about: "what each published crate needs, and its cold build", work: Work::Packages },
    Benchmark {
        name: "P13",
        about: "the pace on six links, against fixed numbers",
        work: Work::Paces(&[
            PaceCase { size: 4 * KIB, link: link(150, 100), ..FAR },
            PaceCase { files: 10_000, size: 4 * KIB, link: link(50, 0), over_best: 1.15, ..FAR },
            PaceCase { link: link(50, 1000), ..FAR },
            PaceCase { files: 500, size: MIB, link: link(10, 1000), ..FAR },
            PaceCase { link: link(10, 0), ..FAR },
            PaceCase { link: link(0, 0), store: Store { service_ms: 20, ..STORE }, ..FAR },
        ]),
    },
    Benchmark {
        name: "P14",
        about: "the pace on slow links, against curl and the SDK at their defaults",
        work: Work::Paces(&[
            PaceCase { link: link(50, 1000), beside: PEERS, over_peers: 4.0, ..FAR },
            PaceCase { link: link(10, 1000), beside: PEERS, ..FAR },
            PaceCase { files: 1000, link: link(50, 100), beside: PEERS, ..FAR },
            PaceCase { link: link(0, 0), store: Store { service_ms: 20, ..STORE }, beside: PEERS, ..FAR },
        ]),
    },
    Benchmark {
        name: "P15",
        about: "the pace at stores with limits",
        work: Work::Paces(&[
            PaceCase { files: 2_400, store: Store { limits: &[("--places", 64)], ..BUSY }, ..LIMITED },
            PaceCase { files: 150, store: Store { limits: &[("--rate", 20)], ..STORE }, ..LIMITED },
            PaceCase {
                files: 150,
                store: Store { limits: &[("--rate", 20), ("--retry-after", 1)], ..STORE },
                ..LIMITED
            },
            PaceCase { files: 5_000, store: Store { banned: 50, ..BUSY }, ..LIMITED },
        ]),
    },
    Benchmark {
        name: "P16",
        about: "the pace on a link that changes in the middle",
        work: Work::Paces(&[
            PaceCase { files: 10_000, link: link(50, 1000), then: Some((3.0, link(50, 100))), over_best: 1.3, ..FAR },
            PaceCase { files: 10_000, link: link(10, 1000), then: Some((3.0, link(150, 1000))), over_best: 1.3, ..FAR },
        ]),
    },
];

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
    beside: &[Beside::Fixed(4), Beside::Fixed(32), Beside::Fixed(64), Beside::Fixed(256), Beside::Sdk],
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

const AGAINST_LOOPS: Case = Case {
    peers: &[Program::Curl, Program::Reqwest],
    aims: &[Aim::Faster(Program::Curl, 1.2), Aim::Faster(Program::Reqwest, 1.0)],
    ..SMALL
};

/// Crates below each published crate, at most; the others are listed without an aim.
pub(crate) const DEPENDENCIES: [(&str, f64); 3] =
    [("encord-enums", 9.0), ("encord-http-settings", 6.0), ("encord-project-utils", 14.0)];

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

    /// The smallest case that still uses every part. The smoke run takes it.
    #[must_use]
    pub(crate) fn smoke(self) -> Self {
        Self {
            files: self.files.min(40),
            // Above the size from which `Expect: 100-continue` is sent.
            size: self.size.min(17 * MIB),
            service_ms: self.service_ms.min(2),
            ..self
        }
    }

    /// All sizes of the case, smallest first.
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

#[cfg(test)]
mod tests;
