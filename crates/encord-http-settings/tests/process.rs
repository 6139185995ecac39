//! What the environment of a process can hold. Outside of the crate, which reads no environment.
#![cfg(all(unix, feature = "std"))]

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use encord_http_settings::SettingsLayer;

/// A variable of the process can be anything.
#[test]
fn r12_a_variable_that_is_not_unicode_is_refused_by_name() {
    let text = |bytes: &[u8]| OsString::from_vec(bytes.to_vec());
    let check = |name: &[u8], value: &[u8]| {
        let layer = SettingsLayer::from_variables([(text(name), text(value))]);
        layer.map_err(|error| error.to_string())
    };
    assert_eq!(
        check(b"ENCORD_MAX_RETRIES", b"3\xff"),
        Err(String::from("`ENCORD_MAX_RETRIES` must be a whole number from 0 to 4294967295, not \"3\u{fffd}\"")),
    );
    assert_eq!(check(b"ENCORD_MAX_RETRIES\xff", b"\xff"), Ok(SettingsLayer::default()));
    assert_eq!(check(b"HOME", b"/home/\xff"), Ok(SettingsLayer::default()));
    assert!(SettingsLayer::from_variables(std::env::vars_os()).is_ok());
}
