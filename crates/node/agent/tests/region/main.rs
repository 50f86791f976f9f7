//! The agent and `capacity` against the API server, in virtual time.

#![allow(clippy::unwrap_used, reason = "a test says what is wrong by failing")]

mod claims;
mod cost;
mod pods;
mod scrapes;
mod support;
