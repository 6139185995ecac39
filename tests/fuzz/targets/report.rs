//! Reports of earlier runs.
#![cfg_attr(fuzzing, no_main)]

encord_fuzz::target!(encord_fuzz::report);
