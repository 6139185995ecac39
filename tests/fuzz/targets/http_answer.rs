//! Answers of servers and proxies.
#![cfg_attr(fuzzing, no_main)]

encord_fuzz::target!(encord_fuzz::http_answer);
