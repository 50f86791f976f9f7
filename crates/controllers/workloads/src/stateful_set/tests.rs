//! Sets brought through changes and failures, plan by plan.

#![allow(clippy::needless_pass_by_value, reason = "literals read better where they are handed over")]

mod control;
mod names;
mod owners;
mod realm;
mod recorded;

use super::*;
