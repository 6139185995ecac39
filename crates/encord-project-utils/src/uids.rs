//! The union of the model iteration uids of many models.

use indexmap::IndexSet;

/// The hasher of the sets that this crate makes: foldhash, which is fast on short strings.
///
/// Its random seed resists simple attacks, but not an attacker who can measure times.
pub type UidHasher = foldhash::fast::RandomState;

/// A record that has model iteration uids: [`ModelConfiguration`](crate::ModelConfiguration), or a type of your own.
///
/// ```
/// use encord_project_utils::{ModelIterationUids, get_all_model_iteration_uids};
///
/// struct Training {
///     uid: String,
/// }
///
/// impl ModelIterationUids for Training {
///     fn model_iteration_uids(&self) -> impl Iterator<Item = &str> {
///         std::iter::once(self.uid.as_str())
///     }
/// }
///
/// let trainings = ["b", "a", "b"].map(|uid| Training { uid: uid.into() });
/// assert_eq!(Vec::from_iter(get_all_model_iteration_uids(&trainings)), ["b", "a"]);
/// ```
pub trait ModelIterationUids {
    /// Returns the uids in their order. A uid may come more than once.
    fn model_iteration_uids(&self) -> impl Iterator<Item = &str>;
}

impl<M: ModelIterationUids + ?Sized> ModelIterationUids for &M {
    fn model_iteration_uids(&self) -> impl Iterator<Item = &str> {
        (**self).model_iteration_uids()
    }
}

/// Returns the distinct model iteration uids of all models, in order of first appearance.
///
/// The uids are borrowed, not copied. The Python SDK has this function from 0.1.45 to 0.1.155; its set has no order.
///
/// ```
/// use encord_project_utils::{ModelConfiguration, get_all_model_iteration_uids};
///
/// # let models: Vec<ModelConfiguration> = Vec::new();
/// // The uids of all models, and of some of them.
/// let all = get_all_model_iteration_uids(&models);
/// let chosen = get_all_model_iteration_uids(models.iter().filter(|model| model.title == "Lesions"));
/// assert!(chosen.is_subset(&all));
/// ```
pub fn get_all_model_iteration_uids<'a, M>(models: impl IntoIterator<Item = &'a M>) -> IndexSet<&'a str, UidHasher>
where
    M: ModelIterationUids + ?Sized + 'a,
{
    let models: Vec<&M> = models.into_iter().collect();
    let announced = |model: &&M| model.model_iteration_uids().size_hint().0;
    let mut left = models.iter().map(announced).fold(0, usize::saturating_add);
    let mut uids = IndexSet::default();
    for uid in models.into_iter().flat_map(M::model_iteration_uids) {
        // Growth reads all entries in random order, so the set grows by four instead of two, but never for more uids than are left.
        if uids.len() == uids.capacity() {
            uids.reserve(left.min(3 * uids.len()));
        }
        uids.insert(uid);
        left = left.saturating_sub(1);
    }
    uids
}
