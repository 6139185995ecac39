//! Certificates and keys as PEM text.
#![cfg_attr(fuzzing, no_main)]

encord_fuzz::target!(encord_fuzz::pem);
