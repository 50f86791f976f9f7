//! The API as clients see it: plain requests and kube-rs, in virtual time and over TLS.

mod access;
mod admission;
mod apply;
mod client;
mod cost;
mod delete;
mod durable;
mod eviction;
mod expiry;
mod foreign;
mod kubectl;
mod list;
mod options;
mod parts;
mod patch;
mod pod_security;
mod protobuf;
mod quotas;
mod region;
mod subresources;
mod table;
mod tls;
mod watch;
mod write;
