//! Tests that a later emulator finds the state.

use std::fs;
use std::io::Write;

use super::*;

fn folder(name: &str) -> Folder {
    Folder {
        uuid: Uuid::new_v4(),
        parent: None,
        name: name.to_owned(),
        description: String::new(),
        client_metadata: Some("{\"a\": 1}".to_owned()),
        synced_dataset: None,
        created_at: Millis(1),
        edited_at: Millis(2),
    }
}

fn names(state: &State) -> Vec<&str> {
    state.folders.iter().map(|folder| folder.name.as_str()).collect()
}

#[test]
fn records_are_found_again_in_their_order() {
    let place = tempfile::tempdir().unwrap();
    let mut state = State::open(place.path()).unwrap();
    let (a, b, c) = (folder("a"), folder("b"), folder("c"));
    let (first, second) = (a.uuid, b.uuid);
    state.folders.put(a);
    state.folders.put(b);
    state.save().unwrap();
    state.folders.put(c);
    state.folders.edit(first).unwrap().name = "a2".to_owned();
    state.folders.remove(second);
    state.save().unwrap();
    // Never saved.
    state.folders.put(folder("d"));
    drop(state);

    let mut state = State::open(place.path()).unwrap();
    assert_eq!(names(&state), ["a2", "c"]);
    assert_eq!(state.folders.get(first).unwrap().client_metadata.as_deref(), Some("{\"a\": 1}"));
    // The file was replaced, and more lines can be appended.
    state.folders.put(folder("e"));
    state.save().unwrap();
    drop(state);
    assert_eq!(names(&State::open(place.path()).unwrap()), ["a2", "c", "e"]);
    assert_eq!(fs::read_to_string(place.path().join("state.jsonl")).unwrap().lines().count(), 3);
}

#[test]
fn a_line_that_broke_off_is_left_out() {
    let place = tempfile::tempdir().unwrap();
    let mut state = State::open(place.path()).unwrap();
    state.folders.put(folder("a"));
    state.save().unwrap();
    drop(state);
    let path = place.path().join("state.jsonl");
    let mut file = fs::OpenOptions::new().append(true).open(path).unwrap();
    file.write_all(b"{\"later\": {}}\n[1]\n{\"folder\": {\"uuid\"").unwrap();
    assert_eq!(names(&State::open(place.path()).unwrap()), ["a"]);
}
