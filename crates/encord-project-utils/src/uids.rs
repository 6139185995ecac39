//! The union of the model iteration uids of many models.

use crate::UidSet;

/// What has model iteration uids: [`ModelConfiguration`](crate::ModelConfiguration), or a record of
/// your own.
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
    /// The uids in their order; one may come more than once.
    fn model_iteration_uids(&self) -> impl Iterator<Item = &str>;
}

impl<M: ModelIterationUids + ?Sized> ModelIterationUids for &M {
    fn model_iteration_uids(&self) -> impl Iterator<Item = &str> {
        (**self).model_iteration_uids()
    }
}

/// The distinct model iteration uids of all these models, in order of first appearance.
///
/// The uids are borrowed, not copied. The Python SDK has this function from 0.1.45 to 0.1.155, and
/// gives a set without an order.
///
/// ```
/// use encord_project_utils::{ModelConfiguration, get_all_model_iteration_uids};
///
/// # let models: Vec<ModelConfiguration> = Vec::new();
/// // A list, and a choice from it.
/// let all = get_all_model_iteration_uids(&models);
/// let chosen = get_all_model_iteration_uids(models.iter().filter(|model| model.title == "Lesions"));
/// assert!(chosen.is_subset(&all));
/// ```
pub fn get_all_model_iteration_uids<'a, M>(models: impl IntoIterator<Item = &'a M>) -> UidSet<&'a str>
where
    M: ModelIterationUids + ?Sized + 'a,
{
    let mut uids = UidSet::default();
    uids.extend_with(models.into_iter().flat_map(M::model_iteration_uids));
    uids
}
