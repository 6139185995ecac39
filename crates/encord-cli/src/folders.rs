//! The user's folders for settings and for state.

use std::ffi::OsString;
use std::path::PathBuf;

/// Returns the path of the default settings file: `encord/settings.toml` in the folder for configuration.
pub(crate) fn settings_file(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    Some(base(variable, "XDG_CONFIG_HOME", ".config", "APPDATA")?.join("encord/settings.toml"))
}

/// Returns the folder for journals and ledgers: `encord` in the folder for state.
pub(crate) fn state(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    Some(base(variable, "XDG_STATE_HOME", ".local/state", "LOCALAPPDATA")?.join("encord"))
}

/// Returns the folder that a variable names, else a folder in the user's home. Relative paths are ignored, as the XDG
/// specification requires.
fn base(variable: impl Fn(&str) -> Option<OsString>, xdg: &str, below_home: &str, windows: &str) -> Option<PathBuf> {
    let path = |name: &str| variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let system = || if cfg!(windows) { path(windows) } else { path("HOME").map(|home| home.join(below_home)) };
    path(xdg).or_else(system)
}

#[cfg(all(test, unix))]
mod tests {
    use std::path::Path;

    use super::*;

    #[track_caller]
    fn check(variables: &[(&str, &str)], settings: Option<&str>, state_folder: Option<&str>) {
        let variable = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into());
        assert_eq!(settings_file(variable).as_deref(), settings.map(Path::new));
        assert_eq!(state(variable).as_deref(), state_folder.map(Path::new));
    }

    #[test]
    fn folders_are_those_of_the_xdg_specification() {
        let (settings, state) = (Some("/h/.config/encord/settings.toml"), Some("/h/.local/state/encord"));
        check(&[], None, None);
        check(&[("HOME", "/h")], settings, state);
        check(&[("HOME", "h")], None, None);
        check(&[("HOME", "/h"), ("XDG_CONFIG_HOME", ""), ("XDG_STATE_HOME", "state")], settings, state);
        let named = [("HOME", "/h"), ("XDG_CONFIG_HOME", "/c"), ("XDG_STATE_HOME", "/s")];
        check(&named, Some("/c/encord/settings.toml"), Some("/s/encord"));
    }
}
