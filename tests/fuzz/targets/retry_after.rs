//! Values of `Retry-After`.
#![cfg_attr(fuzzing, no_main)]

encord_fuzz::target!(encord_fuzz::retry_after);
