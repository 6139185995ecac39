//! The set that the uids are gathered in.

use std::{fmt, hash::BuildHasher, slice, vec};

use foldhash::fast::RandomState;

/// Uids whose cache misses overlap.
const BATCH: usize = 128;

/// Distinct uids, in the order in which they were inserted.
///
/// `T` is a string of any kind: `&str`, `String`, `Box<str>`, `Cow<str>`. Two sets are equal if
/// they have the same uids in the same order. Hashes are seeded at random, which resists accidents
/// and simple attacks, not an attacker who can watch timings.
///
/// ```
/// use encord_project_utils::UidSet;
///
/// let uids = UidSet::from_iter(["b", "a", "b"]);
/// assert_eq!(uids.as_slice(), ["b", "a"]);
/// assert!(uids.contains("a"));
/// ```
///
/// # Panics
///
/// What inserts panics when there is no memory, as for a [`Vec`], or beyond 2³¹ distinct uids.
#[derive(Clone)]
pub struct UidSet<T> {
    uids: Vec<T>,
    /// Open addressing with linear probing, at most half full: a power of two of them, or none.
    slots: Vec<Slot>,
    hasher: RandomState,
}

impl<T> UidSet<T> {
    /// The uids in their order.
    pub fn as_slice(&self) -> &[T] {
        &self.uids
    }

    /// The uids in their order.
    pub fn iter(&self) -> slice::Iter<'_, T> {
        self.uids.iter()
    }

    /// The number of distinct uids.
    pub fn len(&self) -> usize {
        self.uids.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.uids.is_empty()
    }
}

impl<T: AsRef<str>> UidSet<T> {
    /// Whether this uid is one of them.
    pub fn contains(&self, uid: &str) -> bool {
        // An empty set may have no slots.
        !self.is_empty() && {
            let at = self.slot(self.hash(uid), |place| self.uids[place].as_ref() == uid);
            place(self.slots[at]).is_some()
        }
    }

    /// Whether each uid is in the other set too.
    pub fn is_subset<U: AsRef<str>>(&self, other: &UidSet<U>) -> bool {
        self.iter().all(|uid| other.contains(uid.as_ref()))
    }

    /// Appends the uid unless it is there already, and says whether it did.
    pub fn insert(&mut self, uid: T) -> bool {
        self.reserve(1);
        let hash = self.hash(uid.as_ref());
        let at = self.slot(hash, |place| self.uids[place].as_ref() == uid.as_ref());
        let new = place(self.slots[at]).is_none();
        if new {
            self.append(at, hash, uid);
        }
        new
    }

    /// Appends those that are not there yet; only these are converted.
    pub(crate) fn extend_with<U: AsRef<str> + Clone + Into<T>>(&mut self, uids: impl IntoIterator<Item = U>) {
        let mut uids = uids.into_iter();
        let mut batch = Vec::with_capacity(BATCH);
        loop {
            batch.extend(uids.by_ref().take(BATCH));
            if batch.is_empty() {
                break;
            }
            self.extend_from_slice(&batch);
            batch.clear();
        }
    }

    /// Appends those that are not there yet; only these are converted.
    ///
    /// The time goes into cache misses: the slot of a uid, and the string that it may be equal to.
    /// So a batch goes by hash first, and what seems to be there already is compared afterwards, in
    /// a loop whose rounds do not depend on each other: the processor waits for many strings at once.
    pub(crate) fn extend_from_slice<U: AsRef<str> + Clone + Into<T>>(&mut self, uids: &[U]) {
        let mut seen = Vec::with_capacity(uids.len().min(BATCH));
        for batch in uids.chunks(BATCH) {
            self.reserve(batch.len());
            let before = self.uids.len();
            for uid in batch {
                let hash = self.hash(uid.as_ref());
                let at = self.slot(hash, |_| true);
                match place(self.slots[at]) {
                    Some(place) => seen.push((place, uid.as_ref())),
                    None => self.append(at, hash, uid.clone().into()),
                }
            }
            if seen.drain(..).any(|(place, uid)| self.uids[place].as_ref() != uid) {
                // Another uid of the same hash, as one in some ten thousand has: the slow way.
                self.forget(before);
                for uid in batch {
                    self.insert(uid.clone().into());
                }
            }
        }
    }

    fn hash(&self, uid: &str) -> u32 {
        upper_half(self.hasher.hash_one(uid))
    }

    /// The slot with this hash and a place of which `is` is true, or the vacant one where it would be.
    /// There must be slots.
    #[inline]
    fn slot(&self, hash: u32, is: impl Fn(usize) -> bool) -> usize {
        let mut at = first_slot(&self.slots, hash);
        while let Some(place) = place(self.slots[at]) {
            if self.slots[at][HASH] == hash && is(place) {
                break;
            }
            at = next_slot(&self.slots, at);
        }
        at
    }

    #[expect(clippy::cast_possible_truncation, reason = "`reserve` sees to it that there are at most 2^31")]
    fn append(&mut self, at: usize, hash: u32, uid: T) {
        self.uids.push(uid);
        self.slots[at] = [hash, self.uids.len() as u32];
    }

    /// Undoes the latest insertions. Last in, first out leaves no hole in the way of a search.
    fn forget(&mut self, len: usize) {
        while self.uids.len() > len {
            let last = self.uids.len() - 1;
            let at = self.slot(self.hash(self.uids[last].as_ref()), |place| place == last);
            self.slots[at] = VACANT;
            self.uids.pop();
        }
    }

    /// Sees to slots for as many more uids.
    fn reserve(&mut self, more: usize) {
        const LEAST: usize = 16;
        /// Numbers and places have 32 bits, and half of the slots stay vacant.
        const MOST: usize = 1 << 31;

        let needed = self.uids.len() + more;
        if needed <= self.slots.len() / 2 {
            return;
        }
        assert!(needed <= MOST, "more than {MOST} distinct uids");
        let mut slots = vec![VACANT; (needed * 2).next_power_of_two().max(LEAST)];
        // The slots are ordered by hash but for a few, so this goes through both tables once.
        for slot in self.slots.iter().filter(|slot| place(**slot).is_some()) {
            let mut at = first_slot(&slots, slot[HASH]);
            while place(slots[at]).is_some() {
                at = next_slot(&slots, at);
            }
            slots[at] = *slot;
        }
        self.slots = slots;
    }
}

/// The hash of a uid, and its number, counted from 1; number 0 is a vacant slot. An array, since
/// the allocator gives zeroes of these for nothing.
type Slot = [u32; 2];
const VACANT: Slot = [0, 0];
const HASH: usize = 0;

fn place([_, number]: Slot) -> Option<usize> {
    (number as usize).checked_sub(1)
}

/// Where the search for a hash begins. The hash's upper bits decide, so that a table that grows
/// keeps its order.
fn first_slot(slots: &[Slot], hash: u32) -> usize {
    ((u64::from(hash) * slots.len() as u64) >> u32::BITS) as usize
}

fn next_slot(slots: &[Slot], at: usize) -> usize {
    (at + 1) & (slots.len() - 1)
}

/// The better half of a hash by foldhash.
fn upper_half(hash: u64) -> u32 {
    (hash >> u32::BITS) as u32
}

impl<T> Default for UidSet<T> {
    fn default() -> Self {
        Self { uids: Vec::new(), slots: Vec::new(), hasher: RandomState::default() }
    }
}

impl<T: fmt::Debug> fmt::Debug for UidSet<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(&self.uids).finish()
    }
}

impl<T: PartialEq> PartialEq for UidSet<T> {
    fn eq(&self, other: &Self) -> bool {
        self.uids == other.uids
    }
}

impl<T: Eq> Eq for UidSet<T> {}

impl<T: AsRef<str>> Extend<T> for UidSet<T> {
    fn extend<I: IntoIterator<Item = T>>(&mut self, uids: I) {
        for uid in uids {
            self.insert(uid);
        }
    }
}

impl<T: AsRef<str>> FromIterator<T> for UidSet<T> {
    fn from_iter<I: IntoIterator<Item = T>>(uids: I) -> Self {
        let mut set = Self::default();
        set.extend(uids);
        set
    }
}

impl<T> IntoIterator for UidSet<T> {
    type Item = T;
    type IntoIter = vec::IntoIter<T>;

    fn into_iter(self) -> Self::IntoIter {
        self.uids.into_iter()
    }
}

impl<'a, T> IntoIterator for &'a UidSet<T> {
    type Item = &'a T;
    type IntoIter = slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
