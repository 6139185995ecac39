//! Measures memory, descriptors, sockets and threads of a process, and detects growth.

use std::fmt;
use std::fs;
use std::io;
use std::path::Path;

use crate::lab::{Result, at};

/// One measurement, from `/proc`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Vitals {
    pub(crate) memory_kib: u64,
    pub(crate) descriptors: u64,
    pub(crate) sockets: u64,
    pub(crate) threads: u64,
}

/// The measurements of one process over time.
#[derive(Debug, Default)]
pub(crate) struct Series(Vec<Vitals>);

/// A resource: its name, its value in a measurement, and the rise of its median that is allowed.
type Resource = (&'static str, fn(&Vitals) -> u64, fn(u64) -> u64);

/// The resources. The margins allow for different batches and moments, so a leak of a few bytes per batch is not detected.
const RESOURCES: [Resource; 4] = [
    ("memory (KiB)", |vitals| vitals.memory_kib, |early| 4 * 1024 + early / 10),
    ("descriptors", |vitals| vitals.descriptors, |_| 8),
    ("sockets", |vitals| vitals.sockets, |_| 8),
    ("threads", |vitals| vitals.threads, |_| 8),
];

/// The number of measurements that are needed to detect growth.
const MIN_SAMPLES: usize = 200;

impl Vitals {
    pub(crate) fn of(process: u32) -> Result<Self> {
        let folder = Path::new("/proc").join(process.to_string());
        let status = folder.join("status");
        let text = fs::read_to_string(&status).map_err(at(&status))?;
        let fact = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
            line.and_then(|line| line.split_whitespace().next()?.parse().ok())
                .ok_or_else(|| format!("no {name} in {}", status.display()))
        };
        let (mut descriptors, mut sockets) = (0, 0);
        for entry in fs::read_dir(folder.join("fd"))? {
            // A descriptor may be closed meanwhile.
            let target = match fs::read_link(entry?.path()) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                target => target?,
            };
            descriptors += 1;
            sockets += u64::from(target.as_os_str().as_encoded_bytes().starts_with(b"socket:"));
        }
        Ok(Self { memory_kib: fact("VmRSS")?, descriptors, sockets, threads: fact("Threads")? })
    }
}

impl Series {
    pub(crate) fn add(&mut self, vitals: Vitals) {
        self.0.push(vitals);
    }

    /// Returns the resources that have grown: the median of the last tenth exceeds that of the second tenth by more than the margin.
    /// The first tenth is for warming up. Returns `None` if there are too few measurements.
    pub(crate) fn growth(&self) -> Option<Vec<&'static str>> {
        (self.0.len() >= MIN_SAMPLES).then(|| {
            let grown = RESOURCES.into_iter().filter(|(_, get, margin)| {
                let early = self.median(1, *get);
                self.median(9, *get) > early + margin(early)
            });
            grown.map(|(name, ..)| name).collect()
        })
    }

    /// The median of the tenth with this number, from 0.
    fn median(&self, tenth: usize, get: fn(&Vitals) -> u64) -> u64 {
        let part = &self.0[self.0.len() * tenth / 10..self.0.len() * (tenth + 1) / 10];
        let mut values: Vec<u64> = part.iter().map(get).collect();
        values.sort_unstable();
        values.get(values.len() / 2).copied().unwrap_or_default()
    }
}

/// Writes the medians of all tenths.
impl fmt::Display for Series {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} samples", self.0.len())?;
        for (name, get, _) in RESOURCES {
            let medians: Vec<String> = (0..10).map(|tenth| self.median(tenth, get).to_string()).collect();
            write!(f, "\n    {name:<14}{}", medians.join(" "))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growth_is_that_of_the_medians_beyond_the_margin() {
        #[track_caller]
        fn check(values: impl Iterator<Item = u64>, expected: Option<&[&str]>) {
            let vitals = |memory_kib| Vitals { memory_kib, descriptors: 20, sockets: 9, threads: 4 };
            assert_eq!(Series(values.map(vitals).collect()).growth().as_deref(), expected);
        }
        let (flat, grown): (&[_], &[_]) = (&[], &["memory (KiB)"]);
        check((0..1_000).map(|_| 10_000), Some(flat));
        // Growth while warming up.
        check((0..1_000).map(|at| 10_000 + at.min(100) * 1_000), Some(flat));
        // A few outliers.
        check((0..1_000).map(|at| if at % 7 == 0 { 90_000 } else { 10_000 }), Some(flat));
        check((0..1_000).map(|at| 10_000 + at * 5), Some(flat));
        check((0..1_000).map(|at| 10_000 + at * 10), Some(grown));
        check((0..100).map(|at| 10_000 + at * 100), None);
    }

    #[test]
    fn a_descriptor_is_seen() {
        let process = std::process::id();
        let before = Vitals::of(process).unwrap();
        let sockets: Vec<_> = (0..100).map(|_| std::net::UdpSocket::bind("127.0.0.1:0").unwrap()).collect();
        let with = Vitals::of(process).unwrap();
        // Other tests run beside this one.
        assert!(
            with.sockets >= before.sockets + 90 && with.descriptors >= before.descriptors + 90,
            "{before:?} {with:?}"
        );
        drop(sockets);
    }
}
