//! Lists of model configurations (rules G1 to G4).

use std::io::{self, Read};

use encord_project_utils::{
    ModelConfiguration, ReadError, get_all_model_iteration_uids, model_iteration_uids_from_slice,
    read_model_iteration_uids,
};

use crate::entries::Entries;

/// A slice, a reader with pieces of any size, and plain `serde_json` give the same uids and the same errors.
pub(super) fn check(mut data: &[u8]) {
    // The inputs of the corpus begin with two more bytes, which an earlier version used.
    let [pieces, _, _] = crate::take(&mut data);
    let uids = model_iteration_uids_from_slice(data).map(|uids| strings(uids.iter()));
    let expected = expected(&String::from_utf8_lossy(data));
    // Skipped values may contain bytes that are not UTF-8.
    assert!(uids.as_ref().ok() == expected.as_ref() || uids.is_err() && std::str::from_utf8(data).is_err());

    let read = read_model_iteration_uids(Pieces { data, most: pieces, calls: 0 });
    same(&uids, read.map(|uids| strings(uids.iter())), data);

    // A failing reader does not end the list.
    let failing = Pieces { data, most: pieces, calls: 0 }.chain(Failing);
    let error = read_model_iteration_uids(failing).expect_err("the reader fails");
    assert!(error.position().is_none() || uids.is_err(), "{error}");

    if let Ok(models) = serde_json::from_slice::<Vec<ModelConfiguration>>(data) {
        let written = serde_json::to_vec(&models).expect("written");
        assert_eq!(serde_json::from_slice::<Vec<ModelConfiguration>>(&written).expect("read again"), models);
        let all = strings(get_all_model_iteration_uids(&models).iter());
        // Only serde's derive accepts an array in place of an object.
        assert!(uids.is_err() || uids.ok() == Some(all));
    }
}

type Uids = Result<Vec<String>, ReadError>;

/// Checks for the same uids, or the same error at the same place.
fn same(slice: &Uids, read: Uids, data: &[u8]) {
    match (slice, read) {
        (Ok(slice), Ok(read)) => assert_eq!(*slice, read),
        (Err(slice), Err(read)) => {
            let ((there, here), read_text) = ((place(slice, data), place(&read, data)), read.to_string());
            // With a reader, `serde_json` counts a byte that it has only peeked at.
            assert!(there == here || there + 1 == here, "{slice} or {read}");
            let (reason, _) = read_text.rsplit_once(" at line ").expect("a place");
            assert!(slice.to_string().starts_with(&format!("{reason} at line ")), "{slice} or {read}");
        }
        (slice, read) => panic!("{slice:?} or {read:?}"),
    }
}

/// Returns the number of bytes before the place of an error.
fn place(error: &ReadError, data: &[u8]) -> usize {
    let (line, column) = error.position().expect("no reader failed");
    let before = data.split_inclusive(|byte| *byte == b'\n').take(line - 1);
    before.map(<[u8]>::len).sum::<usize>() + column
}

/// Returns the uids by plain `serde_json`.
fn expected(json: &str) -> Option<Vec<String>> {
    let models: Vec<Entries> = serde_json::from_str(json).ok()?;
    let mut uids: Vec<String> = Vec::new();
    for model in models {
        let [list] = model.all("model_iteration_uids")[..] else { return None };
        for uid in serde_json::from_str::<Vec<String>>(list.get()).ok()? {
            if !uids.contains(&uid) {
                uids.push(uid);
            }
        }
    }
    Some(uids)
}

fn strings(uids: impl Iterator<Item = impl AsRef<str>>) -> Vec<String> {
    uids.map(|uid| uid.as_ref().to_owned()).collect()
}

/// A reader that returns a few bytes at a time, and is sometimes interrupted.
struct Pieces<'a> {
    data: &'a [u8],
    most: u8,
    calls: u8,
}

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.calls = self.calls.wrapping_add(1);
        if self.most & 0x80 != 0 && self.calls.is_multiple_of(3) {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let most = match self.most & 0x7f {
            0 => buffer.len(),
            most => buffer.len().min(most.into()),
        };
        self.data.read(&mut buffer[..most])
    }
}

struct Failing;

impl Read for Failing {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::Error::other("gone"))
    }
}
