//! The list of benchmarks and their aims. `docs/performance.md` explains it.

use crate::case::{
    Against, Aim, Benchmark, Beside, BesideFolder, Case, FolderCase, Growth, InFlight, KIB, Link, MIB, PaceCase,
    Program, Store, Timing, Timings, Topic, Work,
};

/// The case of P1. The other cases are written as differences from it.
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
            aims: &[Aim::Cpu(Program::Hyper, 1.10)],
            ..SMALL
        }]),
    },
    Benchmark { name: "P12", about: "what each published crate needs, and its cold build", work: Work::Packages },
    Benchmark {
        name: "P13",
        about: "the pace on six links, against fixed numbers",
        work: Work::Paces(&against_fixed()),
    },
    Benchmark {
        name: "P14",
        about: "the pace on the same links, against curl and the SDK at their defaults",
        work: Work::Paces(&against_peers()),
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
    Benchmark {
        name: "P17",
        about: "a folder of files to the rows of a dataset, at the emulator",
        work: Work::Folders(&[
            FolderCase { files: 40_000, size: 20 * KIB, delay_ms: 0, beside: BesideFolder::Tenth },
            FolderCase { files: 500, size: 20 * KIB, delay_ms: 20, beside: BesideFolder::Sdk { at_least: 20.0 } },
        ]),
    },
];

/// The six links of P13 and P14.
const LINKS: [PaceCase; 6] = [
    PaceCase { size: 4 * KIB, link: link(150, 100), ..FAR },
    PaceCase { size: 4 * KIB, ..FAR },
    PaceCase { link: link(50, 1000), ..FAR },
    PaceCase { files: 500, size: MIB, link: link(10, 1000), ..FAR },
    PaceCase { link: link(10, 0), ..FAR },
    PaceCase { link: link(0, 0), store: Store { service_ms: 20, ..STORE }, ..FAR },
];

/// So many files give the pace the time to learn, so less is allowed for it.
const MANY: u64 = 10_000;

/// Each link with few files and with many. Always 8 would take minutes for many files, so it is left out if few files show that it is
/// several times as slow as the others: for all links but the one with large files.
const fn against_fixed() -> [PaceCase; 12] {
    let mut cases = [FAR; 12];
    let mut place = 0;
    while place < LINKS.len() {
        let few = LINKS[place];
        let beside = if few.size == MIB { FIXED } else { FIXED.split_at(1).1 };
        cases[2 * place] = few;
        cases[2 * place + 1] = PaceCase { files: MANY, over_best: 1.15, beside, ..few };
        place += 1;
    }
    cases
}

/// The SDK would need minutes for many files, so the last case has only curl.
const fn against_peers() -> [PaceCase; 7] {
    let mut cases = [PaceCase { files: MANY, link: link(50, 1000), over_peers: 4.0, beside: CURLS, ..FAR }; 7];
    let mut place = 0;
    while place < LINKS.len() {
        let over_peers = if LINKS[place].link.rtt_ms == 50 { 4.0 } else { 1.0 };
        cases[place] = PaceCase { over_peers, beside: PEERS, ..LINKS[place] };
        place += 1;
    }
    cases
}

/// The common part of the cases of P13.
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

/// The common part of the cases of P15.
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
const CURLS: &[Beside] = PEERS.split_at(2).0;

const fn link(rtt_ms: u64, mbit: u64) -> Link {
    Link { rtt_ms, mbit }
}

const AGAINST_LOOPS: Case = Case {
    peers: &[Program::Curl, Program::Reqwest],
    aims: &[Aim::Faster(Program::Curl, 1.2), Aim::Faster(Program::Reqwest, 1.0)],
    ..SMALL
};

/// The limits for the number of dependencies of published crates. The others are listed without an aim.
pub(crate) const DEPENDENCIES: [(&str, f64); 3] =
    [("encord-enums", 9.0), ("encord-http-settings", 6.0), ("encord-project-utils", 14.0)];

#[cfg(test)]
mod tests;
