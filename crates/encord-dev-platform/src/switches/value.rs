//! The positions of switches, and their form in text.

use std::time::Duration;

use strum::{EnumIter, EnumString, IntoEnumIterator, IntoStaticStr};

/// The longest time of a switch, in seconds.
const MAX_SECONDS: u64 = 365 * 24 * 3600;
const MAX_NUMBER: usize = 1_000_000;

pub(super) trait SwitchValue: Sized {
    fn read(text: &str) -> Option<Self>;
    fn write(&self) -> String;
    /// Returns the possible positions, for the message about a wrong one.
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
    /// The result of a unit whose placeholder an earlier job used.
    SecondJob {
        /// A second item with a new id.
        Duplicate,
        /// The item of the earlier job. Nothing is created.
        NoOp,
        /// The unit fails.
        Error,
    }
}

positions! {
    /// The id of an item that is created from a placeholder.
    ItemId {
        /// The id of the placeholder.
        Placeholder,
        /// A new id. The item cannot be found by the id of the placeholder.
        New,
    }
}

positions! {
    /// Where a placeholder is visible before its job has run. Its `isPlaceholder` is true.
    Placeholders {
        /// Nowhere.
        Hidden,
        /// In requests for items by id.
        ById,
        /// In requests by id, and in the listing of its folder.
        Listed,
    }
}

positions! {
    /// The result of a request for many items that has an unknown id.
    UnknownIds {
        /// The id is left out of the answer.
        Skip,
        /// The request is refused.
        Reject,
    }
}

positions! {
    /// Which URLs `skipDuplicateUrls` compares.
    DuplicateUrls {
        /// URLs of objects in clouds, and keys of uploaded objects.
        All,
        /// Only URLs of objects in clouds.
        CloudOnly,
    }
}

positions! {
    /// The order of `itemsWithNames`.
    NamesOrder {
        /// The order of the units in the request.
        Request,
        /// A different order.
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
    /// Which rows linking with `SKIP` returns for items that are already linked.
    SkipReturns {
        /// The rows of these items.
        Rows,
        /// No rows.
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
        // Fractions of a millisecond are dropped, so that a time is written as it is read.
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
