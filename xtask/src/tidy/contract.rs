//! `docs/contract.md` claims which test holds which rule. The claim is checked from both ends.

use std::collections::{BTreeMap, BTreeSet};

use super::{Source, read};
use crate::job::root;

/// Letter and highest number of the rules of each topic.
const RULES: &[(char, u32)] = &[('D', 8), ('R', 12), ('U', 9), ('G', 4)];

/// The tests that each rule names. A table row is a rule if its first cell is an ID; the tests are the words in
/// backticks in its last cell.
type Claims<'a> = BTreeMap<&'a str, Vec<&'a str>>;

pub(super) fn check(rust: &[Source]) -> Vec<String> {
    let Ok(contract) = read(&root().join("docs/contract.md")) else {
        return vec!["docs/contract.md: missing".to_owned()];
    };
    // Not ours: the tests below quote such names.
    let rust = rust.iter().filter(|source| !source.path.starts_with("xtask"));
    let functions: BTreeSet<&str> = rust.flat_map(|source| functions(&source.text)).collect();
    problems(&contract.text, &functions)
}

fn problems(contract: &str, functions: &BTreeSet<&str>) -> Vec<String> {
    let claims = match claims(contract) {
        Ok(claims) => claims,
        Err(twice) => return vec![format!("docs/contract.md: {twice} has two rows")],
    };
    let known = known_rules();
    let mut problems = Vec::new();
    for rule in known.iter().filter(|rule| !claims.contains_key(rule.as_str())) {
        problems.push(format!("docs/contract.md: no row for {rule}"));
    }
    for (rule, tests) in &claims {
        if !known.contains(*rule) {
            problems.push(format!("docs/contract.md: there is no rule {rule}"));
        }
        if tests.is_empty() {
            problems.push(format!("docs/contract.md: {rule} names no test"));
        }
        for test in tests {
            if !rules_of(test).contains(*rule) {
                problems.push(format!("docs/contract.md: {rule} names `{test}`, which does not carry the ID"));
            } else if !functions.contains(test) {
                problems.push(format!("docs/contract.md: {rule} names `{test}`, which does not exist"));
            }
        }
    }
    for function in functions {
        for rule in rules_of(function).intersection(&known) {
            if !claims.get(rule.as_str()).is_some_and(|tests| tests.contains(function)) {
                problems.push(format!("docs/contract.md: {rule} does not name `{function}`"));
            }
        }
    }
    problems
}

fn known_rules() -> BTreeSet<String> {
    let ids = |&(letter, last): &(char, u32)| (1..=last).map(move |number| format!("{letter}{number}"));
    RULES.iter().flat_map(ids).collect()
}

/// Fails with the ID that has two rows.
fn claims(contract: &str) -> Result<Claims<'_>, &str> {
    let mut claims = Claims::new();
    for line in contract.lines() {
        let cells: Vec<&str> = line.trim().trim_matches('|').split('|').map(str::trim).collect();
        let (Some(&rule), Some(last), true) = (cells.first(), cells.last(), line.starts_with('|')) else { continue };
        if !is_id(rule) {
            continue;
        }
        // Split at backticks, every second piece was between two of them.
        let tests = last.split('`').skip(1).step_by(2).collect();
        if claims.insert(rule, tests).is_some() {
            return Err(rule);
        }
    }
    Ok(claims)
}

fn is_id(text: &str) -> bool {
    let digits = text.strip_prefix(|letter: char| letter.is_ascii_uppercase());
    digits.is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
}

/// The IDs that a name begins with: `r1_r3_two_budgets` → R1 and R3.
fn rules_of(function: &str) -> BTreeSet<String> {
    function.split('_').map(str::to_ascii_uppercase).take_while(|word| is_id(word)).collect()
}

/// The names after `fn`, also inside macros.
pub(super) fn functions(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter_map(|line| {
        let after = line.trim_start().strip_prefix("fn ").or_else(|| Some(line.split_once(" fn ")?.1))?;
        after.split(['(', '<']).next()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `rows` stand in a table in which every other rule but G4 is held.
    #[track_caller]
    fn check(rows: &str, code: &str, expected: &[&str]) {
        let others = known_rules().into_iter().filter(|rule| rule != "G4" && !rows.contains(&format!("| {rule} |")));
        let (mut contract, mut code) = (rows.to_owned(), code.to_owned());
        for rule in others {
            let test = format!("{}_held", rule.to_ascii_lowercase());
            contract.extend(["\n| ", &rule, " | text | `", &test, "` |"]);
            code.extend(["\nfn ", &test, "()"]);
        }
        assert_eq!(problems(&contract, &functions(&code).collect()), expected);
    }

    #[test]
    fn claims_are_checked_from_both_ends() {
        const G4: &str = "| G4 | text | `g4_kept` |";
        check(G4, "    fn g4_kept() {", &[]);
        check(
            "| G4 | text | `g4_kept` |\n| U2 | text | `u2_zero_wins`, `u2_some_wins` |",
            "fn g4_kept()\nasync fn u2_zero_wins()",
            &["docs/contract.md: U2 names `u2_some_wins`, which does not exist"],
        );
        check(
            G4,
            "fn g4_kept()\nfn d3_upper_case<T>()\nfn e5_other()\nfn r99_none()\nfn sha2_x()",
            &["docs/contract.md: D3 does not name `d3_upper_case`"],
        );
        check("| G4 | text | `g1_g4_kept` |", "fn g1_g4_kept()", &["docs/contract.md: G1 does not name `g1_g4_kept`"]);
        check(
            "| G4 | text | `kept` |",
            "fn kept()",
            &["docs/contract.md: G4 names `kept`, which does not carry the ID"],
        );
        check("", "", &["docs/contract.md: no row for G4"]);
        check("| G4 | text | |", "", &["docs/contract.md: G4 names no test"]);
        check(
            "| G4 | a | `g4_g9_kept` |\n| G9 | b | `g4_g9_kept` |",
            "fn g4_g9_kept()",
            &["docs/contract.md: there is no rule G9"],
        );
        check("| G4 | a | |\n| G4 | b | |", "", &["docs/contract.md: G4 has two rows"]);
    }
}
