//! Ledgers of earlier runs of `encord upload PATH…`.

use std::fs;

use encord_ingest::replay::Header;
use encord_ingest::{Ledger, LedgerError};
use uuid::Uuid;

/// The first byte says whether the other bytes follow a valid header. A ledger that is accepted loses no complete line, and can be
/// read again. A ledger that is refused is not changed.
pub(super) fn check(mut data: &[u8]) {
    let header = Header::new("api.encord.com".to_owned(), Uuid::from_u128(1), None);
    let mut bytes = Vec::new();
    if crate::take::<1>(&mut data)[0] % 2 == 1 {
        serde_json::to_writer(&mut bytes, &header).expect("a header");
        bytes.push(b'\n');
    }
    bytes.extend_from_slice(data);
    crate::scratch::with_file("ledger", &bytes, |path| {
        let read = Ledger::read(path, &header);
        assert!(fs::read(path).expect("read") == bytes, "it was changed by being read");
        match Ledger::open(path, &header) {
            Ok((ledger, replay)) => {
                let items: Vec<_> = replay.items().collect();
                let facts = (replay.next_unit(), replay.next_job(), items);
                drop(ledger);
                let left = fs::read(path).expect("read");
                let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
                assert!(left.starts_with(&bytes[..whole]), "a whole line is lost");
                let again = Ledger::read(path, &header).expect("read again").expect("there");
                assert_eq!((again.next_unit(), again.next_job(), again.items().collect()), facts);
                assert!(read.is_ok());
            }
            Err(error) => {
                assert!(fs::read(path).expect("read") == bytes, "a ledger that is refused was changed");
                assert!(!matches!(error, LedgerError::Locked(_) | LedgerError::Io { .. }), "{error}");
                assert_eq!(read.map(drop).map_err(|error| error.to_string()), Err(error.to_string()));
            }
        }
    });
}
