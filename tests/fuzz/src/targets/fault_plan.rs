//! Fault plans of the development store.

use encord_dev_store::faults::FaultPlan;

const RULE: &str = "*: stall";

/// A plan is written as it is read, and a rule can be added. An error quotes the first invalid rule.
pub(super) fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    // Not at the start of a line, where the rule could be a comment.
    let wrong = rules(text).find(|rule| format!("; {rule}").parse::<FaultPlan>().is_err());
    match (text.parse::<FaultPlan>(), wrong) {
        (Ok(plan), None) => {
            let written = plan.to_string();
            assert_eq!(written.parse::<FaultPlan>().as_ref(), Ok(&plan), "{written}");
            let longer: FaultPlan = format!("{text}\n{RULE}").parse().expect("a rule more");
            let between = if written.is_empty() { "" } else { "; " };
            assert_eq!(longer.to_string(), format!("{written}{between}{RULE}"));
        }
        (Err(error), Some(wrong)) => {
            let error = error.to_string();
            assert!(error.starts_with(&format!("`{wrong}`: ")), "{error}");
        }
        (plan, wrong) => panic!("{plan:?} and {wrong:?}"),
    }
}

fn rules(text: &str) -> impl Iterator<Item = &str> {
    let lines = text.split('\n').filter(|line| !line.trim().starts_with('#'));
    lines.flat_map(|line| line.split(';')).map(str::trim).filter(|rule| !rule.is_empty())
}
