//! Fault plans of the development store.
#![cfg_attr(fuzzing, no_main)]

encord_fuzz::target!(encord_fuzz::fault_plan);
