//! An oracle that may be shut: then the program listens, as others do.

use tenfour_protocol::Range;

use crate::air::Air;
use crate::constraint::Band;
use crate::geo::Spot;
use crate::oracle::{Listening, Oracle};

/// Asks `door` if it tells near from far, and listens otherwise.
pub(super) struct SideDoor<O> {
    door: O,
    rumour: Spot,
    open: Option<bool>,
}

impl<O: Oracle> SideDoor<O> {
    pub(super) fn new(door: O, rumour: Spot) -> Self {
        Self { door, rumour, open: None }
    }

    /// Whether it says that the target is near its rumour, and not near the other side of the earth.
    fn try_it(&mut self, air: &mut dyn Air) -> bool {
        let mut says_near = |at, ring| self.door.ask(air, at, ring).upto.is_finite();
        says_near(self.rumour, Range::Km500) && !says_near(self.rumour.antipode(), Range::Km10)
    }
}

impl<O: Oracle> Oracle for SideDoor<O> {
    fn ask(&mut self, air: &mut dyn Air, at: Spot, ring: Range) -> Band {
        let open = match self.open {
            Some(open) => open,
            None => self.try_it(air),
        };
        self.open = Some(open);
        if open { self.door.ask(air, at, ring) } else { Listening.ask(air, at, ring) }
    }
}
