//! Fault plans of the development platform.

use encord_dev_platform::faults::FaultPlan;

/// A plan is written as it is read. A plan that is refused is also refused with one more rule.
pub(super) fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let longer = format!("{text}\n*: stall").parse::<FaultPlan>();
    match text.parse::<FaultPlan>() {
        Ok(plan) => {
            let written = plan.to_string();
            assert_eq!(written.parse::<FaultPlan>().as_ref(), Ok(&plan), "{written}");
            assert!(longer.is_ok(), "{longer:?}");
        }
        Err(error) => assert_eq!(longer.map_err(|longer| longer.to_string()), Err(error.to_string())),
    }
}
