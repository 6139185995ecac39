//! Settings files, variables and flags.
#![cfg_attr(fuzzing, no_main)]

encord_fuzz::target!(encord_fuzz::settings);
