//! The link and the store of the model.

/// The properties of the link and the store. They may change in the middle of a batch.
#[derive(Debug, Clone, Copy)]
pub(in crate::pace) struct World {
    /// The round trip in seconds.
    pub(in crate::pace) round_trip: f64,
    /// The bandwidth in bytes per second; infinite if the line is no limit.
    pub(in crate::pace) line: f64,
    /// The seconds that the store needs for a request.
    pub(in crate::pace) service: f64,
    /// How many requests the store serves at once at full speed.
    pub(in crate::pace) capacity: usize,
    pub(in crate::pace) over_capacity: OverCapacity,
    /// The accepted requests per second. Others are refused with 429.
    pub(in crate::pace) rate: f64,
    pub(in crate::pace) retry_after: Option<f64>,
    /// The share of requests that is refused at random with 503.
    pub(in crate::pace) refused_by_chance: f64,
    /// One of this many objects is always refused, with a `Retry-After` above the limit.
    pub(in crate::pace) banned_one_in: usize,
    /// The store closes each connection after this many requests.
    pub(in crate::pace) requests_per_connection: usize,
}

/// What the store does with requests above its capacity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::pace) enum OverCapacity {
    /// It serves all requests more slowly.
    SlowDown,
    /// It lets them wait.
    Queue,
    /// It refuses them with 503.
    Refuse,
}

impl World {
    pub(in crate::pace) const fn plain(round_trip_ms: f64, service_ms: f64, line_mbit: f64) -> Self {
        Self {
            round_trip: round_trip_ms / 1000.0,
            line: if line_mbit > 0.0 { line_mbit * 125_000.0 } else { f64::INFINITY },
            service: service_ms / 1000.0,
            capacity: usize::MAX,
            over_capacity: OverCapacity::Queue,
            rate: f64::INFINITY,
            retry_after: None,
            refused_by_chance: 0.0,
            banned_one_in: usize::MAX,
            requests_per_connection: usize::MAX,
        }
    }
}
