//! Settings from environment variables, which the caller passes in: this crate does not read the environment.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::fields::Visitor;
use crate::invalid::Reason;
use crate::value::Field;
use crate::{InvalidSettings, Problem, SettingsLayer};

impl SettingsLayer {
    /// Reads the layer that environment variables set.
    ///
    /// | variable | field | values |
    /// |---|---|---|
    /// | `ENCORD_MAX_RETRIES` | `requests.max_retries` | whole number |
    /// | `ENCORD_BACKOFF_FACTOR` | `requests.backoff_factor` | number of 0 or more |
    /// | `ENCORD_CONNECTION_RETRIES` | `requests.connection_retries` | whole number |
    /// | `ENCORD_CONNECT_TIMEOUT` | `requests.connect_timeout` | time as in [`Timeout`](crate::Timeout#impl-FromStr-for-Timeout) |
    /// | `ENCORD_READ_TIMEOUT` | `requests.read_timeout` | time |
    /// | `ENCORD_WRITE_TIMEOUT` | `requests.write_timeout` | time |
    /// | `ENCORD_ALLOW_FAILURES` | `upload.allow_failures` | `true`, `yes`, `on`, `1`, `false`, `no`, `off`, `0` |
    ///
    /// All other variables are ignored; [`near_misses`](crate::near_misses) finds those that are misspelt. Names are exact. In
    /// values, blanks around the text and the case of words do not matter. An empty value counts as not set, since many tools
    /// can only blank a variable, not remove it.
    ///
    /// With the feature `std`, the variables can be [`std::env::vars_os()`](https://doc.rust-lang.org/std/env/fn.vars_os.html).
    /// A value that is not Unicode is refused like any other value that cannot be read.
    ///
    /// ```
    /// use encord_http_settings::SettingsLayer;
    ///
    /// let layer = SettingsLayer::from_variables([
    ///     ("ENCORD_READ_TIMEOUT", "unlimited"),
    ///     ("ENCORD_ALLOW_FAILURES", "1"),
    ///     ("HOME", "/root"),
    /// ])?;
    /// assert_eq!(layer.upload.allow_failures, Some(true));
    ///
    /// let error =
    ///     SettingsLayer::from_variables([("ENCORD_MAX_RETRIES", "-1"), ("ENCORD_BACKOFF_FACTOR", "nan")]).unwrap_err();
    /// assert_eq!(error.problems().len(), 2);
    /// # Ok::<(), encord_http_settings::InvalidSettings>(())
    /// ```
    ///
    /// # Errors
    ///
    /// All values that cannot be read, and all variables that are given twice.
    pub fn from_variables<K, V>(variables: impl IntoIterator<Item = (K, V)>) -> Result<Self, InvalidSettings>
    where
        K: VariableText,
        V: VariableText,
    {
        let mut layer = Self::default();
        let mut problems = Vec::new();
        for (name, value) in variables {
            let (name, value) = (name.to_text(), value.to_text());
            let value = value.trim();
            if !value.is_empty() {
                layer.visit(&mut Variable { name: &name, value, problems: &mut problems });
            }
        }
        InvalidSettings::check(problems).map(|()| layer)
    }

    pub(crate) fn visit(&mut self, visitor: &mut impl Visitor) {
        self.requests.visit(visitor);
        self.upload.visit(visitor);
    }
}

/// A name or a value of an environment variable: `str`, `String`, and with the feature `std` `OsStr` and `OsString`.
///
/// The trait is sealed.
pub trait VariableText: sealed::Sealed {
    /// Returns the text. Parts that are not Unicode are replaced by U+FFFD.
    fn to_text(&self) -> Cow<'_, str>;
}

mod sealed {
    pub trait Sealed {}
}

/// A variable, which sets its field.
struct Variable<'a> {
    name: &'a str,
    value: &'a str,
    problems: &'a mut Vec<Problem>,
}

impl Visitor for Variable<'_> {
    fn field<T: Field>(&mut self, _: &'static str, variable: Option<&'static str>, field: &mut Option<T>) {
        if variable != Some(self.name) {
            return;
        }
        match (T::parse(self.value), *field) {
            (Err(error), _) => self.problems.push(Problem::of_variable(self.name, &error)),
            (Ok(value), None) => *field = Some(value),
            (Ok(value), Some(first)) => {
                self.problems.push(Problem::new(self.name, &format!("{first}, {value}"), Reason::Repeated));
            }
        }
    }
}

/// Implements [`VariableText`] for a type.
macro_rules! variable_text {
    ($($Type:ty: $text:expr;)*) => {$(
        impl sealed::Sealed for $Type {}

        impl VariableText for $Type {
            fn to_text(&self) -> Cow<'_, str> {
                let to_text: fn(&Self) -> Cow<'_, str> = $text;
                to_text(self)
            }
        }
    )*};
}

variable_text! {
    str: |text| Cow::Borrowed(text);
    String: |text| Cow::Borrowed(text);
}

#[cfg(feature = "std")]
variable_text! {
    std::ffi::OsStr: Self::to_string_lossy;
    std::ffi::OsString: |text| text.to_string_lossy();
}

impl<T: sealed::Sealed + ?Sized> sealed::Sealed for &T {}

impl<T: VariableText + ?Sized> VariableText for &T {
    fn to_text(&self) -> Cow<'_, str> {
        (**self).to_text()
    }
}

impl sealed::Sealed for Cow<'_, str> {}

impl VariableText for Cow<'_, str> {
    fn to_text(&self) -> Cow<'_, str> {
        Cow::Borrowed(self)
    }
}

#[cfg(test)]
mod tests;
