//! What the enums share: the trait, and the macro that makes one of a list of names and values.

use core::{
    fmt::{Debug, Display},
    hash::Hash,
    str::FromStr,
};

use crate::UnknownValueError;

/// An enum of strings that stays open: a string that it does not know is its fallback variant.
///
/// For code that works on any of them. The functions are inherent ones of each enum too, there
/// `const` and without an import. The trait is sealed.
pub trait OpenEnum:
    Copy + Debug + Display + Ord + Hash + FromStr<Err = UnknownValueError> + Send + Sync + sealed::Sealed + 'static
{
    /// What a value is, in words, such as `data type`.
    const KIND: &'static str;
    /// The fallback.
    const MISSING: Self;
    /// Every variant in the order of declaration, the fallback last.
    const ALL: &'static [Self];
    /// The value of every variant but the fallback, in the order of declaration.
    const KNOWN_VALUES: &'static [&'static str];

    /// The variant with this value, the fallback for any other string.
    fn from_value(value: &str) -> Self;
    /// The value.
    fn as_str(self) -> &'static str;
    /// The variant whose upper-cased value is exactly this, the fallback for any other string.
    fn from_upper_case_string(string: &str) -> Self;
    /// The value in upper case.
    fn to_upper_case_string(self) -> &'static str;

    /// Whether this is the fallback.
    fn is_missing(self) -> bool {
        self == Self::MISSING
    }
}

pub(crate) mod sealed {
    pub trait Sealed {}
}

/// An example with an arm for every variant, and a further one.
macro_rules! exhaustive_match {
    ($attributes:literal, $Enum:ident { $($Variant:ident)* }, $arm:literal) => {
        concat!(
            "```", $attributes, "\n",
            "fn name(it: encord_enums::", stringify!($Enum), ") {\n",
            "    use encord_enums::", stringify!($Enum), "::*;\n",
            "    match it {\n",
            $("        ", stringify!($Variant), " => {}\n",)*
            "        ", $arm, "\n",
            "    }\n",
            "}\n",
            "```"
        )
    };
}

/// Makes an open enum of `pub enum Name, "kind" { Variant = "value", … } else { Fallback = "value", }`.
macro_rules! open_enum {
    (
        $(#[$attribute:meta])*
        pub enum $Enum:ident, $kind:literal {
            $($(#[$variant_attribute:meta])* $Variant:ident = $value:literal,)*
        } else {
            $(#[$missing_attribute:meta])* $Missing:ident = $missing_value:literal,
        }
    ) => {
        $(#[$attribute])*
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash,
            strum::EnumCount, strum::EnumIter, strum::EnumString, strum::IntoStaticStr, strum::VariantNames,
        )]
        #[strum(
            parse_err_ty = crate::UnknownValueError,
            parse_err_fn = crate::UnknownValueError::new::<$Enum>
        )]
        #[non_exhaustive]
        pub enum $Enum {
            $($(#[$variant_attribute])* #[strum(serialize = $value)] $Variant,)*
            $(#[$missing_attribute])* #[strum(serialize = $missing_value)] $Missing,
        }

        impl $Enum {
            /// Every variant in the order of declaration, the fallback last.
            pub const ALL: &'static [Self] = &[$(Self::$Variant,)* Self::$Missing];

            /// The variant with this value, the fallback for any other string.
            ///
            /// It never fails and never allocates. The strict way in is [`str::parse`].
            #[inline]
            #[expect(non_upper_case_globals, reason = "a pattern for each variant, named like it")]
            pub const fn from_value(value: &str) -> Self {
                // A `const fn` can match on bytes, not on `str`.
                $(const $Variant: &[u8] = $value.as_bytes();)*
                match value.as_bytes() {
                    $($Variant => Self::$Variant,)*
                    _ => Self::$Missing,
                }
            }

            /// The value.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$Variant => $value,)*
                    Self::$Missing => $missing_value,
                }
            }

            /// The variant whose upper-cased value is exactly this, the fallback for any other string.
            ///
            /// A string that is not all in upper case is another string. It never fails and never
            /// allocates.
            #[inline]
            #[expect(non_upper_case_globals, reason = "a pattern for each variant, named like it")]
            pub const fn from_upper_case_string(string: &str) -> Self {
                $(const $Variant: &[u8] = upper_case!($value).as_bytes();)*
                match string.as_bytes() {
                    $($Variant => Self::$Variant,)*
                    _ => Self::$Missing,
                }
            }

            /// The value in upper case. It does not allocate.
            pub const fn to_upper_case_string(self) -> &'static str {
                match self {
                    $(Self::$Variant => upper_case!($value),)*
                    Self::$Missing => upper_case!($missing_value),
                }
            }

            /// Whether this is the fallback.
            pub const fn is_missing(self) -> bool {
                matches!(self, Self::$Missing)
            }
        }

        /// Outside of this crate a `match` needs an arm for what comes, whatever it names. One that lacks it
        /// does not compile:
        #[doc = crate::open_enum::exhaustive_match!("compile_fail,E0004", $Enum { $($Variant)* $Missing }, "")]
        ///
        /// and with it the same does:
        #[doc = crate::open_enum::exhaustive_match!("", $Enum { $($Variant)* $Missing }, "_ => {}")]
        impl crate::open_enum::sealed::Sealed for $Enum {}

        impl crate::OpenEnum for $Enum {
            const KIND: &'static str = $kind;
            const MISSING: Self = Self::$Missing;
            const ALL: &'static [Self] = Self::ALL;
            const KNOWN_VALUES: &'static [&'static str] = &[$($value),*];

            fn from_value(value: &str) -> Self {
                Self::from_value(value)
            }

            fn as_str(self) -> &'static str {
                self.as_str()
            }

            fn from_upper_case_string(string: &str) -> Self {
                Self::from_upper_case_string(string)
            }

            fn to_upper_case_string(self) -> &'static str {
                self.to_upper_case_string()
            }
        }

        /// The value.
        impl core::fmt::Display for $Enum {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl AsRef<str> for $Enum {
            fn as_ref(&self) -> &str {
                self.as_str()
            }
        }

        /// The value.
        #[cfg(feature = "serde")]
        impl serde::Serialize for $Enum {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        /// Lenient: whatever is not a known value is the fallback, also what is not a string, as in
        /// the SDK. In formats that are not human-readable it must be a string.
        #[cfg(feature = "serde")]
        impl<'de> serde::Deserialize<'de> for $Enum {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                crate::text::lenient(deserializer, Self::from_value)
            }
        }
    };
}

/// The upper-cased form of a literal, made by the compiler, so that each value is written once.
macro_rules! upper_case {
    ($value:literal) => {
        const {
            const UPPER: [u8; $value.len()] = crate::open_enum::upper_case_bytes($value);
            match core::str::from_utf8(&UPPER) {
                Ok(upper) => upper,
                Err(_) => unreachable!(),
            }
        }
    };
}

pub(crate) const fn upper_case_bytes<const N: usize>(value: &str) -> [u8; N] {
    let mut upper = [0; N];
    upper.copy_from_slice(value.as_bytes());
    upper.make_ascii_uppercase();
    upper
}

pub(crate) use {exhaustive_match, open_enum, upper_case};
