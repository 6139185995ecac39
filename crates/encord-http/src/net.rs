//! The network: connections, and one attempt on a connection.

pub(crate) mod addresses;
pub(crate) mod connection;
pub(crate) mod dial;
pub(crate) mod exchange;
pub(crate) mod pool;
pub(crate) mod socket;
pub(crate) mod tls;
pub(crate) mod track;
pub(crate) mod tunnel;
pub(crate) mod watch;
