//! Private keys as people give them.

use encord_client::SshPrivateKey;

/// The secret is the bytes 0 to 31: good for nothing.
const KEY: &str = include_str!("../../../../crates/encord-client/src/key/test_key.txt");

/// The key of [`KEY`].
const KEY_ID: &str = "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8";

/// No error shows anything of the text. A key is taken whatever stands behind it, or in front if that is no beginning of a key.
pub(super) fn check(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let behind = SshPrivateKey::from_text(&format!("{KEY}{text}")).expect("a good key");
    assert_eq!(behind.key_id(), KEY_ID);
    if !text.contains("-----BEGIN") && !text.ends_with('-') {
        let in_front = SshPrivateKey::from_text(&format!("{text}\n{KEY}")).expect("a good key");
        assert_eq!(in_front.key_id(), KEY_ID);
    }
    for text in [text.to_string(), format!("{}{text}", crate::SECRET), KEY.replacen('A', &text, 1)] {
        match SshPrivateKey::from_text(&text) {
            Ok(key) => assert_eq!(key.key_id().len(), 64),
            Err(error) => {
                let told = format!("{error} {error:?}");
                assert!(!told.contains(crate::SECRET), "{told}");
                assert!(KEY.lines().skip(1).take(5).all(|line| !told.contains(&line[..20])), "{told}");
            }
        }
    }
}
