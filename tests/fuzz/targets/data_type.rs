//! Strings that stand for data types and models.
#![cfg_attr(fuzzing, no_main)]

encord_fuzz::target!(encord_fuzz::data_type);
