//! The controllers against the API server and simulated nodes, in virtual time.

#![allow(clippy::unwrap_used, reason = "a test says what is wrong by failing")]

mod budgets;
mod chaos;
mod cost;
mod cron;
mod daemon;
mod deletion;
mod evictions;
mod jobs;
mod namespace;
mod nodes;
mod quota_races;
mod quotas;
mod replication;
mod rollout;
mod services;
mod stateful;
mod stateful_random;
mod support;
mod volumes;
mod witness;
