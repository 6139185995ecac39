//! Hints for the user of what to do about an error.

use std::time::{Duration, SystemTime};

use crate::credentials::Credentials;
use crate::domain::Domain;
use crate::error::ErrorKind;
use crate::shared::Shared;

/// A smaller difference of the clocks does not explain a refused signature.
const CLOCK_TOLERANCE: Duration = Duration::from_secs(60);

/// Returns the secret that an answer could repeat.
pub(super) fn secret(shared: &Shared) -> Option<&str> {
    match &shared.credentials {
        Credentials::Key(_) => None,
        Credentials::Token(token) => Some(token.secret()),
    }
}

/// Returns the hints for an error.
pub(super) fn hints(shared: &Shared, kind: ErrorKind, date: Option<SystemTime>) -> Vec<String> {
    let mut hints = Vec::new();
    if kind == ErrorKind::SshKeyNotFound {
        hints.push("add the public key (the file that ends with `.pub`) to your Encord account".to_owned());
    }
    if matches!(kind, ErrorKind::Authentication | ErrorKind::SshKeyNotFound) {
        hints.push(region_hint(&shared.domain));
    }
    if kind == ErrorKind::Authentication
        && let Some(hint) = date.and_then(|date| clock_hint((shared.clock)(), date))
    {
        hints.push(hint);
    }
    hints
}

fn region_hint(domain: &Domain) -> String {
    let other = if *domain == Domain::EU { Domain::US } else { Domain::EU };
    format!("check the region: this went to {domain}, your account may be at {other}")
}

/// Compares the clocks, because a signature contains the time.
fn clock_hint(ours: SystemTime, theirs: SystemTime) -> Option<String> {
    let (by, direction) = match ours.duration_since(theirs) {
        Ok(ahead) => (ahead, "ahead of"),
        Err(behind) => (behind.duration(), "behind"),
    };
    let seconds = by.as_secs();
    (by > CLOCK_TOLERANCE).then(|| {
        format!("set the clock of this machine: it is {seconds} s {direction} the server's, and signatures are dated")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_off_is_named() {
        let theirs = SystemTime::UNIX_EPOCH + Duration::from_secs(1_714_564_800);
        let hint = |ours| clock_hint(ours, theirs);
        assert_eq!(hint(theirs), None);
        assert_eq!(hint(theirs + CLOCK_TOLERANCE), None);
        assert_eq!(
            hint(theirs + Duration::from_secs(61)).as_deref(),
            Some("set the clock of this machine: it is 61 s ahead of the server's, and signatures are dated")
        );
        assert_eq!(
            hint(theirs - Duration::from_secs(7200)).as_deref(),
            Some("set the clock of this machine: it is 7200 s behind the server's, and signatures are dated")
        );
    }
}
