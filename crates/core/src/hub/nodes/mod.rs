//! Other nodes of the cluster.

use super::{Hub, NodeInput};
use crate::Time;

impl Hub {
    pub(super) fn node(&mut self, _input: NodeInput, _now: Time) {}
}
