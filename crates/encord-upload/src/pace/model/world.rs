//! The link and the store of the model.

/// The world: it may change in the middle.
#[derive(Debug, Clone, Copy)]
pub(in crate::pace) struct World {
    /// Seconds there and back.
    pub(in crate::pace) round_trip: f64,
    /// Bytes a second of the line; infinite if it is no limit.
    pub(in crate::pace) line: f64,
    /// Seconds that the store takes for a request.
    pub(in crate::pace) service: f64,
    /// So many requests at once are served well.
    pub(in crate::pace) places: usize,
    pub(in crate::pace) beyond: Beyond,
    /// Requests a second; the others are refused with 429.
    pub(in crate::pace) rate: f64,
    pub(in crate::pace) retry_after: Option<f64>,
    /// So large a share of the requests is refused with 503, however many there are.
    pub(in crate::pace) refused_by_chance: f64,
    /// Each so many-th object is refused for a day.
    pub(in crate::pace) banned: usize,
    /// The store closes each connection after so many requests.
    pub(in crate::pace) requests_per_connection: usize,
}

/// What becomes of requests for which the store has no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::pace) enum Beyond {
    /// All become slower.
    Slower,
    /// They wait.
    Queue,
    /// They are refused with 503.
    Refuse,
}

impl World {
    pub(in crate::pace) const fn plain(round_trip_ms: f64, service_ms: f64, line_mbit: f64) -> Self {
        Self {
            round_trip: round_trip_ms / 1000.0,
            line: if line_mbit > 0.0 { line_mbit * 125_000.0 } else { f64::INFINITY },
            service: service_ms / 1000.0,
            places: usize::MAX,
            beyond: Beyond::Queue,
            rate: f64::INFINITY,
            retry_after: None,
            refused_by_chance: 0.0,
            banned: usize::MAX,
            requests_per_connection: usize::MAX,
        }
    }
}
