//! Tests with texts that are keys and texts that are not.

use std::ffi::OsString;

use super::*;

const PLAIN: &str = include_str!("test_key.txt");

/// Checks the error, and that it shows nothing of the key.
#[track_caller]
fn refused(text: &str, kind: KeyErrorKind, message: &str) {
    let error = SshPrivateKey::from_text(text).unwrap_err();
    assert_eq!((error.kind(), error.to_string().as_str()), (kind, message));
    for shown in [error.to_string(), format!("{error:?}")] {
        assert!(PLAIN.lines().all(|line| line.starts_with("---") || !shown.contains(line)), "{shown}");
    }
}

#[test]
fn what_the_sdk_takes_is_taken() {
    let spaces = PLAIN.replace('\n', " ");
    let crlf = PLAIN.replace('\n', "\r\n");
    for text in [PLAIN, &spaces, &crlf, &format!("\n\n  {PLAIN}"), &format!("{PLAIN}and more\n"), PLAIN.trim_end()] {
        let key = SshPrivateKey::from_text(text).unwrap();
        assert_eq!(key.key_id(), "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8");
    }
}

#[test]
fn c4_a_text_that_is_no_key_is_refused_without_showing_it() {
    let begin = "-----BEGIN OPENSSH PRIVATE KEY-----";
    let end = "-----END OPENSSH PRIVATE KEY-----";
    let lines: Vec<_> = PLAIN.lines().collect();
    let copy = "copy the whole file again, with its line breaks";
    refused(
        "",
        KeyErrorKind::NotOpenSsh,
        "not a private key in OpenSSH form; the text begins with `-----BEGIN OPENSSH PRIVATE KEY-----`; `ssh-keygen -p -f FILE` \
         writes a key in this form",
    );
    refused(
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4 me",
        KeyErrorKind::PublicKey,
        "this is a public key; name the file without `.pub`",
    );
    refused(
        "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\n",
        KeyErrorKind::NotEd25519,
        "the private key is not of the kind Ed25519; make a key with `ssh-keygen -t ed25519`, and add the new public key (the \
         file that ends with `.pub`) to your Encord account",
    );
    let escaped = PLAIN.replace('\n', "\\n");
    refused(
        &escaped,
        KeyErrorKind::Damaged,
        &format!("the private key is damaged: it has the two characters \\n in place of line breaks; {copy}"),
    );
    refused(
        &PLAIN.replace(end, ""),
        KeyErrorKind::Damaged,
        &format!("the private key is damaged: its last line is missing; {copy}"),
    );
    refused(
        &format!("{begin}\n{}\n{end}", &lines[1][..63]),
        KeyErrorKind::Damaged,
        &format!("the private key is damaged: its text is no base64; {copy}"),
    );
    refused(
        &format!("{begin}\n{}\n{end}", lines[1]),
        KeyErrorKind::Damaged,
        &format!("the private key is damaged: it ends too early; {copy}"),
    );
}

#[test]
fn c4_debug_shows_the_public_half_only() {
    let key = test_key();
    let debug = "SshPrivateKey(public 03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8)";
    assert_eq!(format!("{key:?}"), debug);
}

#[test]
fn the_environment_is_read_in_the_order_of_the_sdk() {
    let home = || Some(PathBuf::from("/home/me"));
    let os = |text: &str| Some(OsString::from(text));
    let file = |path: &str| Ok::<_, String>(Source::File(PathBuf::from(path)));
    let nothing =
        "there is no private key; set ENCORD_SSH_KEY_FILE to the path of the key, or ENCORD_SSH_KEY to its text";
    let empty = "there is no private key: ENCORD_SSH_KEY is set, but empty; set ENCORD_SSH_KEY_FILE to the path of the key, or \
                 ENCORD_SSH_KEY to its text";
    for (file_variable, key_variable, expected) in [
        (os("/k"), None, file("/k")),
        (os("/k"), os("junk"), file("/k")),
        (os("~/k"), None, file("/home/me/k")),
        (os(""), os("text"), Ok(Source::Text)),
        (None, os("text"), Ok(Source::Text)),
        (None, os(""), Err(empty.to_owned())),
        (None, None, Err(nothing.to_owned())),
        (os(""), None, Err(nothing.to_owned())),
    ] {
        let found = source(file_variable, key_variable.as_ref(), home()).map_err(|error| error.to_string());
        assert_eq!(found, expected);
    }
}

#[test]
fn a_file_that_is_missing_or_too_large_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    let error = SshPrivateKey::from_file(&path).unwrap_err();
    assert_eq!(error.kind(), KeyErrorKind::File);
    assert!(error.to_string().starts_with(&format!("{}: the private key cannot be read: ", path.display())), "{error}");
    std::fs::write(&path, vec![b' '; 100_000]).unwrap();
    let error = SshPrivateKey::from_file(&path).unwrap_err();
    assert!(error.to_string().contains("it is too large for a key"), "{error}");
    std::fs::write(&path, PLAIN).unwrap();
    assert!(SshPrivateKey::from_file(&path).is_ok());
}
