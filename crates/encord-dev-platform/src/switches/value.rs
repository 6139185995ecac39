//! The positions of switches, and their form in text.

use std::time::Duration;

use strum::{EnumIter, EnumString, IntoEnumIterator, IntoStaticStr};

/// The longest time of a switch, in seconds.
const MAX_SECONDS: u64 = 365 * 24 * 3600;
const MAX_NUMBER: usize = 1_000_000;

pub(super) trait SwitchValue: Sized {
    fn read(text: &str) -> Option<Self>;
    fn write(&self) -> String;
    /// For the message about a text that is none of them.
    fn positions() -> String;
}

/// Declares a switch with named positions.
macro_rules! positions {
    ($(#[$doc:meta])* $name:ident { $($(#[$position_doc:meta])* $position:ident,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, EnumString, IntoStaticStr)]
        #[strum(serialize_all = "kebab-case")]
        pub enum $name {
            $($(#[$position_doc])* $position,)*
        }

        impl SwitchValue for $name {
            fn read(text: &str) -> Option<Self> {
                text.parse().ok()
            }

            fn write(&self) -> String {
                <&str>::from(self).to_owned()
            }

            fn positions() -> String {
                let all: Vec<&str> = Self::iter().map(<&str>::from).collect();
                format!("the positions are {}", all.join(", "))
            }
        }
    };
}

positions! {
    /// What becomes of a unit whose placeholder an earlier job has used.
    SecondJob {
        /// Another item, with another id.
        Duplicate,
        /// Nothing; the item of the earlier job is reported.
        NoOp,
        /// The unit fails.
        Error,
    }
}

positions! {
    /// Which id an item gets that is made from a placeholder.
    ItemId {
        /// The one of the placeholder.
        Placeholder,
        /// A new one; what was signed cannot be found by its id.
        New,
    }
}

positions! {
    /// Where a placeholder shows before its job has run. It has `isPlaceholder` true.
    Placeholders {
        /// Nowhere.
        Hidden,
        /// Where items are asked for by id.
        ById,
        /// There, and in the listing of its folder.
        Listed,
    }
}

positions! {
    /// What a request for many items does with an id that it does not know.
    UnknownIds {
        /// The others are answered.
        Skip,
        /// The request is refused.
        Reject,
    }
}

positions! {
    /// Which URLs `skipDuplicateUrls` compares.
    DuplicateUrls {
        /// Those of clouds, and the keys of uploaded objects.
        All,
        /// Those of clouds.
        CloudOnly,
    }
}

positions! {
    /// The order of `itemsWithNames`.
    NamesOrder {
        /// The one of the units.
        Request,
        /// Another one.
        Shuffled,
    }
}

positions! {
    /// Whether good units stay when a job without `ignoreErrors` fails.
    FailedJobKeeps {
        /// No unit becomes an item.
        Nothing,
        /// Good units become items.
        GoodUnits,
    }
}

positions! {
    /// Which rows linking with `SKIP` returns for items that were linked before.
    SkipReturns {
        /// Their rows.
        Rows,
        /// None.
        Nothing,
    }
}

impl SwitchValue for bool {
    fn read(text: &str) -> Option<Self> {
        match text {
            "yes" => Some(true),
            "no" => Some(false),
            _ => None,
        }
    }

    fn write(&self) -> String {
        if *self { "yes" } else { "no" }.to_owned()
    }

    fn positions() -> String {
        "the positions are yes, no".to_owned()
    }
}

impl SwitchValue for usize {
    fn read(text: &str) -> Option<Self> {
        text.parse().ok().filter(|number| (1..=MAX_NUMBER).contains(number))
    }

    fn write(&self) -> String {
        self.to_string()
    }

    fn positions() -> String {
        format!("it is a number from 1 to {MAX_NUMBER}")
    }
}

impl SwitchValue for Duration {
    fn read(text: &str) -> Option<Self> {
        let time = Self::try_from_secs_f64(text.parse().ok()?).ok()?;
        // Whole milliseconds are written as they are read.
        let time = Self::from_millis(u64::try_from(time.as_millis()).ok()?);
        (time <= Self::from_secs(MAX_SECONDS)).then_some(time)
    }

    fn write(&self) -> String {
        self.as_secs_f64().to_string()
    }

    fn positions() -> String {
        format!("it is a number of seconds from 0 to {MAX_SECONDS}")
    }
}
