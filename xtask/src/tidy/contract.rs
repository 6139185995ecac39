//! Checks that `docs/contract.md` shows one test for each rule, and that no test names a rule that does not exist.

use std::collections::{BTreeMap, BTreeSet};

use super::{Source, read};
use crate::job::root;

/// The topics of the rules: the letter, and the highest number.
const RULES: [(char, u32); 5] = [('D', 8), ('R', 12), ('U', 11), ('C', 8), ('G', 4)];

pub(super) fn check(rust: &[Source]) -> Vec<String> {
    let Ok(contract) = read(&root().join("docs/contract.md")) else {
        return vec!["docs/contract.md: missing".to_owned()];
    };
    // Leaves out this program, because the tests below quote such names.
    let rust = rust.iter().filter(|source| !source.path.starts_with("xtask"));
    problems(&contract.text, &rust.flat_map(|source| functions(&source.text)).collect())
}

fn problems(contract: &str, functions: &BTreeSet<&str>) -> Vec<String> {
    let known = known_rules();
    let mut rows = BTreeMap::new();
    let mut problems = Vec::new();
    for (rule, shown) in rows_of(contract) {
        if !known.contains(rule) {
            problems.push(format!("there is no rule {rule}"));
        }
        if rows.insert(rule.to_owned(), shown).is_some() {
            problems.push(format!("{rule} has two rows"));
        }
    }
    for rule in &known {
        // The check of links makes sure that the linked file has the test.
        match rows.get(rule).map(|shown| (*shown, shown.split('`').nth(1))) {
            None => problems.push(format!("no row for {rule}")),
            Some((shown, Some(test))) if shown.starts_with("[`") && rules_of(test).contains(rule) => {}
            Some((shown, _)) => problems.push(format!("{rule} shows no test with its ID and a link, but {shown:?}")),
        }
    }
    for function in functions {
        let letters = |rule: &String| RULES.iter().any(|(letter, _)| rule.starts_with(*letter));
        let unknown = rules_of(function).into_iter().filter(|rule| letters(rule) && !known.contains(rule));
        problems.extend(unknown.map(|rule| format!("there is no rule {rule}, which `{function}` names")));
    }
    problems.into_iter().map(|problem| format!("docs/contract.md: {problem}")).collect()
}

fn known_rules() -> BTreeSet<String> {
    let ids = |(letter, last): (char, u32)| (1..=last).map(move |number| format!("{letter}{number}"));
    RULES.into_iter().flat_map(ids).collect()
}

/// Returns the first and the last cell of each table row that begins with an ID.
fn rows_of(contract: &str) -> impl Iterator<Item = (&str, &str)> {
    contract.lines().filter(|line| line.starts_with('|')).filter_map(|line| {
        let mut cells = line.trim().trim_matches('|').split('|').map(str::trim);
        let rule = cells.next().filter(|cell| is_id(cell))?;
        Some((rule, cells.next_back()?))
    })
}

fn is_id(text: &str) -> bool {
    let digits = text.strip_prefix(|letter: char| letter.is_ascii_uppercase());
    digits.is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Returns the IDs at the start of a name: `r1_r3_two_budgets` → R1 and R3.
fn rules_of(function: &str) -> BTreeSet<String> {
    function.split('_').map(str::to_ascii_uppercase).take_while(|word| is_id(word)).collect()
}

/// Returns the names after `fn`, also inside macros.
pub(super) fn functions(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter_map(|line| {
        let after = line.trim_start().strip_prefix("fn ").or_else(|| Some(line.split_once(" fn ")?.1))?;
        after.split(['(', '<']).next()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks a table that has `rows`, and a valid row for each rule except G4.
    #[track_caller]
    fn check(rows: &str, functions: &[&str], expected: &[&str]) {
        let others = known_rules().into_iter().filter(|rule| rule != "G4");
        let others = others.map(|rule| format!("\n| {rule} | text | [`{}_held`](a.rs) |", rule.to_ascii_lowercase()));
        let contract = rows.to_owned() + &others.collect::<String>();
        let expected: Vec<_> = expected.iter().map(|problem| format!("docs/contract.md: {problem}")).collect();
        assert_eq!(problems(&contract, &functions.iter().copied().collect()), expected);
    }

    #[test]
    fn each_rule_shows_a_test_and_each_test_names_a_rule() {
        const G4: &str = "| G4 | text | [`g1_g4_kept`](a.rs) |";
        check(G4, &["g1_g4_kept", "e5_other", "sha2_x", "new"], &[]);
        check("", &[], &["no row for G4"]);
        check("| G4 | text | |", &[], &["G4 shows no test with its ID and a link, but \"\""]);
        check("| G4 | text | `g4_kept` |", &[], &["G4 shows no test with its ID and a link, but \"`g4_kept`\""]);
        check(
            "| G4 | text | [`kept`](a.rs) |",
            &[],
            &["G4 shows no test with its ID and a link, but \"[`kept`](a.rs)\""],
        );
        check(&format!("{G4}\n{G4}"), &[], &["G4 has two rows"]);
        check(&format!("{G4}\n| G9 | text | [`g9_x`](a.rs) |"), &[], &["there is no rule G9"]);
        check(G4, &["r99_none"], &["there is no rule R99, which `r99_none` names"]);
    }

    #[test]
    fn functions_are_found_in_any_form() {
        let text = "    fn g4_kept() {\nasync fn u2_zero_wins()\nfn d3_upper_case<T>()\n// no function";
        assert_eq!(functions(text).collect::<Vec<_>>(), ["g4_kept", "u2_zero_wins", "d3_upper_case"]);
    }
}
