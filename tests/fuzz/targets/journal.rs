//! Journals of uploads.
#![cfg_attr(fuzzing, no_main)]

encord_fuzz::target!(encord_fuzz::journal);
