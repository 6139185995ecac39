//! The plan against a model of the platform: every switch, and a kill after every step.

mod disk;
mod kills;
mod platform;
mod run;
mod steps;
