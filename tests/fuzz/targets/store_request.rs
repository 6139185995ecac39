//! Requests to the development store.
#![cfg_attr(fuzzing, no_main)]

encord_fuzz::target!(encord_fuzz::store_request);
