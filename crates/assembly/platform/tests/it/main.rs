//! The whole platform in virtual time.
#![allow(clippy::unwrap_used, reason = "a test fails where it unwraps")]

mod accounted;
mod order;
mod regions;
mod rules;
mod scene;
mod updates;
mod world;
