//! The switches of the development platform.

use encord_dev_platform::Switches;

/// Switches are written as they are read, and one can be added.
pub(super) fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match text.parse::<Switches>() {
        Ok(switches) => {
            let written = switches.to_string();
            assert_eq!(written.parse::<Switches>().as_ref(), Ok(&switches), "{written}");
            assert_eq!(format!("{text}, worst").parse::<Switches>(), Ok(Switches::worst()));
        }
        Err(error) => {
            assert!(!error.to_string().is_empty());
            assert!(format!("{text}, worst").parse::<Switches>().is_err(), "{text}");
        }
    }
}
