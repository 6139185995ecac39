//! Private keys of the platform's client (rule C4).

use encord_client::SshPrivateKey;

/// A key is accepted with any line ends, and has a public key. Neither the key nor an error shows a part of the text.
pub(super) fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    // Only pieces that are too long to be a word of a message.
    let pieces = || text.split_whitespace().filter(|piece| piece.len() > 40);
    match SshPrivateKey::from_text(text) {
        Ok(key) => {
            let id = key.key_id();
            assert!(id.len() == 64 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{id}");
            let shown = format!("{key:?}");
            assert!(pieces().all(|piece| !shown.contains(piece)), "{shown}");
            let windows = SshPrivateKey::from_text(&text.replace('\n', "\r\n"));
            assert_eq!(windows.ok().map(|key| key.key_id().to_owned()).as_deref(), Some(id));
        }
        Err(error) => {
            let told = format!("{error} {error:?}");
            assert!(!told.contains(crate::SECRET) && pieces().all(|piece| !told.contains(piece)), "{told}");
        }
    }
}
