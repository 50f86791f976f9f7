//! The `mainstay` binary from outside: its transcripts, kubectl, other clients, kill -9.

#![allow(clippy::unwrap_used, reason = "a test fails where it unwraps")]

mod bad_input;
mod clients;
mod crash;
mod drain;
mod drill;
mod drills;
mod harness;
mod kubectl;
mod kubectl_everyday;
mod lifecycle;
mod places;
mod reference;
mod regions;
mod updating;
