//! `NO_PROXY`: the hosts for which no proxy is used, by the rules of curl.

use std::net::IpAddr;
use std::sync::Arc;

use encord_signed_url::Origin;

/// The hosts for which no proxy is used. Clones share one list.
#[derive(Debug, Clone, Default)]
pub(crate) struct Exceptions(Arc<[Exception]>);

#[derive(Debug, PartialEq, Eq)]
enum Exception {
    Every,
    /// A host name with its subdomains, in lower case and without a dot at either end. If there is a port, it must be equal.
    Name(Box<str>, Option<u16>),
    /// A network: an address, how many of its bits must be equal, and a port that must be equal, if there is one.
    Network(IpAddr, u8, Option<u16>),
}

impl Exceptions {
    /// Reads entries separated by commas or blanks. An invalid entry matches no host.
    pub(crate) fn parse(list: &str) -> Self {
        Self(list.split([',', ' ', '\t', '\n']).filter_map(Exception::parse).collect())
    }

    /// Whether requests to `origin` need no proxy.
    pub(crate) fn contain(&self, origin: &Origin) -> bool {
        let host = bare(origin.host());
        let address = unbracketed(host).parse::<IpAddr>().ok();
        let is_port = |port: &Option<u16>| port.is_none_or(|port| port == origin.port());
        self.0.iter().any(|exception| match exception {
            Exception::Every => true,
            Exception::Name(name, port) => {
                is_port(port)
                    && host.strip_suffix(&**name).is_some_and(|before| before.is_empty() || before.ends_with('.'))
            }
            Exception::Network(network, bits, port) => {
                is_port(port) && address.is_some_and(|address| starts_alike(address, *network, *bits))
            }
        })
    }
}

impl Exception {
    fn parse(entry: &str) -> Option<Self> {
        if entry == "*" {
            return Some(Self::Every);
        }
        let entry = entry.to_ascii_lowercase();
        if let Some(network) = network(&entry, None) {
            return Some(network);
        }
        let (host, port) = match entry.rsplit_once(':') {
            Some((host, port)) => (host, Some(port.parse().ok()?)),
            None => (entry.as_str(), None),
        };
        let name = bare(host);
        network(host, port).or_else(|| (!name.is_empty()).then(|| Self::Name(name.into(), port)))
    }
}

/// `10.0.0.0/8`, `::1`, `[::1]`.
fn network(text: &str, port: Option<u16>) -> Option<Exception> {
    let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
    let address: IpAddr = unbracketed(address).parse().ok()?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    let bits = bits.map_or(Some(most), |bits| bits.parse().ok().filter(|bits| *bits <= most))?;
    Some(Exception::Network(address, bits, port))
}

fn starts_alike(a: IpAddr, b: IpAddr, bits: u8) -> bool {
    let differ = match (a, b) {
        (IpAddr::V4(a), IpAddr::V4(b)) => u128::from(a.to_bits() ^ b.to_bits()) << 96,
        (IpAddr::V6(a), IpAddr::V6(b)) => a.to_bits() ^ b.to_bits(),
        _ => return false,
    };
    differ.leading_zeros() >= u32::from(bits)
}

/// Returns the host without the brackets of an IPv6 address.
pub(crate) fn unbracketed(host: &str) -> &str {
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
}

/// Returns a name without its leading dot and without the trailing dot of the DNS root.
fn bare(host: &str) -> &str {
    let host = host.strip_suffix('.').unwrap_or(host);
    host.strip_prefix('.').unwrap_or(host)
}
