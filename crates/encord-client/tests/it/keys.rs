//! Judgement 3: keys in every form that people may give. We take what the SDK takes, and no error shows a key.

use encord_client::{KeyError, SshPrivateKey};
use serde::Deserialize;

use crate::support::vectors;

#[derive(Deserialize)]
struct Case {
    name: String,
    text: String,
    password: Option<String>,
    /// There if the SDK takes it.
    key_id: Option<String>,
}

fn load(key: &Case) -> Result<SshPrivateKey, KeyError> {
    match &key.password {
        #[cfg(feature = "encrypted-keys")]
        Some(password) => SshPrivateKey::from_encrypted_text(&key.text, password),
        #[cfg(not(feature = "encrypted-keys"))]
        Some(_) => SshPrivateKey::from_text(&key.text),
        None => SshPrivateKey::from_text(&key.text),
    }
}

/// Any 16 characters in a row of the armored text are a piece of the key.
fn shows(key: &Case, shown: &str) -> bool {
    let pieces = key.text.lines().filter(|line| !line.starts_with("-----") && line.len() >= 16);
    pieces.map(|line| &line[..16]).filter(|piece| piece.is_ascii()).any(|piece| shown.contains(piece))
}

#[test]
fn c4_keys_are_taken_as_by_the_sdk_and_no_error_shows_one() {
    let keys: Vec<Case> = serde_json::from_str(&vectors("keys.json")).unwrap();
    assert!(keys.len() >= 45, "{}", keys.len());
    let mut taken = 0;
    for key in &keys {
        if key.password.is_some() && cfg!(not(feature = "encrypted-keys")) {
            continue;
        }
        let outcome = load(key);
        let ours = outcome.as_ref().ok().map(|key| key.key_id().to_owned());
        assert_eq!(ours, key.key_id, "{}: {outcome:?}", key.name);
        taken += usize::from(ours.is_some());
        for shown in [format!("{outcome:?}"), outcome.err().map_or_else(String::new, |error| error.to_string())] {
            assert!(!shows(key, &shown), "{}: {shown}", key.name);
        }
    }
    assert!(taken >= 15, "{taken} are taken");
}

#[test]
#[cfg(feature = "encrypted-keys")]
fn errors_about_keys_say_what_to_do() {
    let keys: Vec<Case> = serde_json::from_str(&vectors("keys.json")).unwrap();
    let ed25519 = "make a key with `ssh-keygen -t ed25519`, and add the new public key (the file that ends with `.pub`) to your \
                   Encord account";
    check(&keys, "RSA", &format!("the private key is not of the kind Ed25519: it is an RSA key; {ed25519}"));
    check(&keys, "RSA, encrypted", &format!("the private key is not of the kind Ed25519: it is an RSA key; {ed25519}"));
    check(&keys, "ECDSA", &format!("the private key is not of the kind Ed25519: it is an ECDSA key; {ed25519}"));
    check(&keys, "the public half", "this is a public key; name the file without `.pub`");
    check(
        &keys,
        "encrypted, without a password",
        "the private key is encrypted; set ENCORD_SSH_KEY_PASSWORD, or give the password",
    );
    check(
        &keys,
        "encrypted, with a wrong password",
        "the password of the private key is wrong, or the key is damaged; check the password: `ssh-keygen -y -f FILE` asks for it \
         too",
    );
    check(
        &keys,
        "plain, with a password",
        "a password was given, but the private key is not encrypted; leave the password out",
    );
    check(
        &keys,
        "encrypted with aes128-ctr",
        "the private key is encrypted in a way that is not supported; `ssh-keygen -p -f FILE` encrypts it anew, with aes256-ctr",
    );
}

#[track_caller]
#[cfg(feature = "encrypted-keys")]
fn check(keys: &[Case], name: &str, expected: &str) {
    let key = keys.iter().find(|key| key.name == name).unwrap();
    assert_eq!(load(key).unwrap_err().to_string(), expected);
}
