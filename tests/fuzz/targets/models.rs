//! Lists of model configurations.
#![cfg_attr(fuzzing, no_main)]

encord_fuzz::target!(encord_fuzz::models);
