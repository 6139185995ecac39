//! The text form of plans, and the uploads that get a fault.

use proptest::prelude::*;

use super::*;

#[track_caller]
fn refused(text: &str, expected: &str) {
    assert_eq!(text.parse::<FaultPlan>().map_err(|error| error.to_string()), Err(expected.to_owned()));
}

/// Returns the faults of these uploads, in order.
fn befalls(plan: &str, objects: &[&str]) -> Vec<String> {
    let mut run = PlanRun::<Fault>::new(plan.parse().unwrap());
    objects.iter().map(|object| run.next(object).map_or("-".to_owned(), |fault| fault.to_string())).collect()
}

#[test]
fn a_plan_is_written_as_it_is_read() {
    for text in [
        "",
        "a.jpg: 503 retry-after=1 x2",
        "seed=7; 30% *: 429",
        "5% logs%2F*.txt: corrupt x1; a%3Bb%20c: reject=413 retry-after=0",
        "*: reset-before; *: reset-during; *: reset-after; *: stall; *: silent; *: slow=0.02; *: drip=0.5; *: expire",
    ] {
        assert_eq!(text.parse::<FaultPlan>().unwrap().to_string(), text);
    }
    let file = "# a comment\n  a.jpg : 503   x2 \n\n30%: drip ; b: reject";
    assert_eq!(file.parse::<FaultPlan>().unwrap().to_string(), "a.jpg: 503 x2; 30% *: drip=1; b: reject=413");
}

#[test]
fn what_is_wrong_is_said() {
    refused("a.jpg", "`a.jpg`: a rule is written `OBJECT: FAULT`");
    refused("a: 503; : 503", "`: 503`: it does not say for which object; `*` is all");
    refused("a:", "`a:`: it does not say which fault");
    refused(
        "a: explode",
        "`a: explode`: the fault `explode` is not known; known are a status, reject, reset-before, reset-during, \
         reset-after, stall, silent, slow=SECONDS, drip, corrupt, expire",
    );
    refused("a: 200", "`a: 200`: `200` is not a status from 400 to 599");
    refused("a: reject=99999", "`a: reject=99999`: `99999` is not a status from 400 to 599");
    refused("101%: 503", "`101%: 503`: the percentage is above 100");
    refused("-1%: 503", "`-1%: 503`: the percentage `-1` is not a number that can be meant");
    refused("a b: 503", "`a b: 503`: `b` is too much; a blank in a name is written %20");
    refused("%ff: 503", "`%ff: 503`: the name of the object is not UTF-8");
    refused("a: 503 twice", "`a: 503 twice`: `twice` is not known here; known are xN and retry-after=SECONDS");
    refused("a: 503 x-1", "`a: 503 x-1`: how often `-1` is not a number that can be meant");
    refused("a: stall retry-after=1", "`a: stall retry-after=1`: only a status can have retry-after");
    refused("a: drip=NaN", "`a: drip=NaN`: `NaN` is not a number of seconds from 0 to 3600");
    refused("a: drip=-1", "`a: drip=-1`: `-1` is not a number of seconds from 0 to 3600");
    refused("seed=x", "`seed=x`: the seed `x` is not a number that can be meant");
}

#[test]
fn times_count_for_each_object_and_then_the_next_rule_holds() {
    assert_eq!(
        befalls("a*: 503 x2; *: stall x1", &["a1", "a2", "a1", "a1", "a1", "b", "b"]),
        ["503", "503", "503", "stall", "-", "stall", "-"]
    );
    assert_eq!(befalls("a: 503 x0", &["a"]), ["-"]);
}

#[test]
fn names_and_patterns() {
    #[track_caller]
    fn check(pattern: &str, object: &str, fits: bool) {
        let rule: Rule<Fault> = format!("{pattern}: stall").parse().unwrap();
        assert_eq!(rule.matches(object), fits, "{pattern} {object}");
    }
    check("a.jpg", "a.jpg", true);
    check("a.jpg", "b/a.jpg", false);
    check("*", "", true);
    check("*.jpg", "b/a.jpg", true);
    check("a*a", "a", false);
    check("a*a", "aa", true);
    check("a*b*c", "a-b-c", true);
    check("a*b*c", "ac", false);
    check("%2A", "*", true);
    check("%2A", "a", false);
}

#[test]
fn a_percentage_is_kept_and_the_choice_is_always_the_same() {
    let objects: Vec<String> = (0..10_000).map(|at| format!("{at}.jpg")).collect();
    let objects: Vec<&str> = objects.iter().map(String::as_str).collect();
    let chosen = |plan: &str| befalls(plan, &objects).iter().filter(|fault| *fault != "-").count();
    assert!((2_800..3_200).contains(&chosen("30%: 503")), "{}", chosen("30%: 503"));
    assert_eq!((chosen("0%: 503"), chosen("100%: 503")), (0, 10_000));

    // The choices of a plan must not change, so that a demo shows the same in every run.
    let first = |plan: &str| befalls(plan, &["a", "b", "c", "d", "a", "a"]).join(" ");
    assert_eq!(first("50%: 503"), first("50%: 503"));
    assert_ne!(befalls("50%: 503", &objects), befalls("50%: 503; seed=1", &objects));
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "[ -~\n]{0,60}") {
        if let Ok(plan) = text.parse::<FaultPlan>() {
            prop_assert_eq!(plan.to_string().parse::<FaultPlan>().unwrap(), plan);
        }
    }

    #[test]
    fn any_rule_survives_its_text_form(object in "\\PC{1,12}", percent in 0_u8..101, times: Option<u32>) {
        let rule = Rule { pattern: vec![object], percent, fault: Fault::Stall, times };
        let plan = FaultPlan { seed: 0, rules: vec![rule] };
        prop_assert_eq!(plan.to_string().parse::<FaultPlan>().map_err(|error| error.to_string()), Ok(plan));
    }
}
