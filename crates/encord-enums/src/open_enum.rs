//! The trait of all enums, and the macro that makes an enum from a list of names and values.

use core::{
    fmt::{Debug, Display},
    hash::Hash,
    str::FromStr,
};

use crate::UnknownValueError;

/// An enum of strings that stays open: an unknown string becomes the fallback variant.
///
/// Use the trait for code that works on any of the enums. Each enum also has its functions as inherent `const` functions, which
/// need no import. The trait is sealed.
pub trait OpenEnum:
    Copy + Debug + Display + Ord + Hash + FromStr<Err = UnknownValueError> + Send + Sync + sealed::Sealed + 'static
{
    /// The name of the enum in words, such as `data type`.
    const KIND: &'static str;
    /// The fallback.
    const MISSING: Self;
    /// All variants in the order of declaration. The fallback is the last one.
    const ALL: &'static [Self];
    /// The values of all variants except the fallback, in the order of declaration.
    const KNOWN_VALUES: &'static [&'static str];

    /// Returns the variant with this value, or the fallback for any other string.
    fn from_value(value: &str) -> Self;
    /// Returns the value.
    fn as_str(self) -> &'static str;

    /// Returns whether this is the fallback.
    fn is_missing(self) -> bool {
        self == Self::MISSING
    }
}

pub(crate) mod sealed {
    pub trait Sealed {}
}

/// The text of an example: a `match` with an arm for every variant and a further arm.
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

/// Makes an open enum from `pub enum Name, "kind" { Variant = "value", … } else { Fallback = "value", }`.
///
/// With `"kind", upper case` the enum has a second form: the value in upper case.
macro_rules! open_enum {
    (
        $(#[$attribute:meta])*
        pub enum $Enum:ident, $kind:literal, upper case { $($known:tt)* } else { $($missing:tt)* }
    ) => {
        crate::open_enum::open_enum! {
            $(#[$attribute])*
            pub enum $Enum, $kind { $($known)* } else { $($missing)* }
        }
        crate::open_enum::upper_case_form! { $Enum { $($known)* } else { $($missing)* } }
    };
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
            strum::AsRefStr, strum::Display, strum::EnumCount, strum::EnumIter, strum::EnumString,
            strum::IntoStaticStr, strum::VariantArray, strum::VariantNames,
        )]
        #[strum(
            parse_err_ty = crate::UnknownValueError,
            parse_err_fn = $Enum::unknown
        )]
        #[non_exhaustive]
        pub enum $Enum {
            $($(#[$variant_attribute])* #[strum(serialize = $value)] $Variant,)*
            $(#[$missing_attribute])* #[strum(serialize = $missing_value)] $Missing,
        }

        impl $Enum {
            /// All variants in the order of declaration. The fallback is the last one.
            pub const ALL: &'static [Self] = <Self as strum::VariantArray>::VARIANTS;

            /// Returns the variant with this value, or the fallback for any other string.
            ///
            /// It never fails and never allocates. [`str::parse`] reads strictly.
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

            /// Returns the value.
            pub const fn as_str(self) -> &'static str {
                <Self as strum::VariantNames>::VARIANTS[self as usize]
            }

            fn unknown(value: &str) -> crate::UnknownValueError {
                crate::UnknownValueError::new($kind, value, <Self as crate::OpenEnum>::KNOWN_VALUES)
            }

            /// Returns whether this is the fallback.
            pub const fn is_missing(self) -> bool {
                matches!(self, Self::$Missing)
            }
        }

        /// Outside of this crate, a `match` needs an arm for variants that are added later. Without that arm it
        /// does not compile:
        #[doc = crate::open_enum::exhaustive_match!("compile_fail,E0004", $Enum { $($Variant)* $Missing }, "")]
        ///
        /// With that arm it compiles:
        #[doc = crate::open_enum::exhaustive_match!("", $Enum { $($Variant)* $Missing }, "_ => {}")]
        impl crate::open_enum::sealed::Sealed for $Enum {}

        impl crate::OpenEnum for $Enum {
            const KIND: &'static str = $kind;
            const MISSING: Self = Self::$Missing;
            const ALL: &'static [Self] = Self::ALL;
            const KNOWN_VALUES: &'static [&'static str] =
                <Self as strum::VariantNames>::VARIANTS.split_at(Self::$Missing as usize).0;

            fn from_value(value: &str) -> Self {
                Self::from_value(value)
            }

            fn as_str(self) -> &'static str {
                self.as_str()
            }
        }

        /// Writes the value.
        #[cfg(feature = "serde")]
        impl serde::Serialize for $Enum {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        /// Reads leniently, as the SDK does: an unknown string, and a value that is not a string, becomes the fallback. In
        /// formats that are not human-readable it must be a string.
        #[cfg(feature = "serde")]
        impl<'de> serde::Deserialize<'de> for $Enum {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let reading = crate::text::Reading { kind: $kind, read: Self::from_value };
                crate::text::lenient(deserializer, Self::$Missing, reading)
            }
        }
    };
}

/// Adds the functions of the upper-case form to an enum.
macro_rules! upper_case_form {
    (
        $Enum:ident {
            $($(#[$variant_attribute:meta])* $Variant:ident = $value:literal,)*
        } else {
            $(#[$missing_attribute:meta])* $Missing:ident = $missing_value:literal,
        }
    ) => {
        impl $Enum {
            /// Returns the variant whose value in upper case is exactly this string, or the fallback for any other
            /// string.
            ///
            /// A string with a lower-case letter is another string. It never fails and never allocates.
            #[inline]
            #[expect(non_upper_case_globals, reason = "a pattern for each variant, named like it")]
            pub const fn from_upper_case_string(string: &str) -> Self {
                $(const $Variant: &[u8] = crate::open_enum::upper_case!($value).as_bytes();)*
                match string.as_bytes() {
                    $($Variant => Self::$Variant,)*
                    _ => Self::$Missing,
                }
            }

            /// Returns the value in upper case. It does not allocate.
            pub const fn to_upper_case_string(self) -> &'static str {
                match self {
                    $(Self::$Variant => crate::open_enum::upper_case!($value),)*
                    Self::$Missing => crate::open_enum::upper_case!($missing_value),
                }
            }
        }
    };
}

/// A literal in upper case, made by the compiler, so that each value is written once.
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

pub(crate) use {exhaustive_match, open_enum, upper_case, upper_case_form};
