//! Signed URLs.
#![cfg_attr(fuzzing, no_main)]

encord_fuzz::target!(encord_fuzz::signed_url);
