//! Questions about the target's place, asked from places where the attacker is not.

use tenfour_protocol::{BurstNo, Range, Ranges, ServerMessage, SignalGrade};

use crate::air::{Act, Air, Heard, TARGET};
use crate::constraint::{Band, Constraint};
use crate::geo::Spot;

/// All steps that limit something.
pub const STEPS: [Range; 7] =
    [Range::Km10, Range::Km25, Range::Km50, Range::Km100, Range::Km250, Range::Km500, Range::Km1000];

/// A way to ask whether the target is within a step of range of an invented place.
pub trait Oracle {
    /// The steps it can tell apart.
    fn rings(&self) -> &'static [Range] {
        &STEPS
    }

    /// Asks. The answer may say more than the question.
    fn ask(&mut self, air: &mut dyn Air, at: Spot, ring: Range) -> Band;

    /// Asks, and gives what follows if the server measures distances of positions.
    fn learn(&mut self, air: &mut dyn Air, at: Spot, ring: Range) -> Constraint {
        Constraint::ring(at, self.ask(air, at, ring))
    }
}

/// Listens with a limited receive range: a voice comes, or it does not.
#[derive(Debug, Default)]
pub struct Listening;

impl Oracle for Listening {
    fn ask(&mut self, air: &mut dyn Air, at: Spot, ring: Range) -> Band {
        air.target(Act::Talk);
        let agent = air.join(at, receiving(ring));
        let heard = air.heard(agent);
        air.leave(agent);
        Band::of_range(ring, begun(&heard).is_some())
    }
}

/// Hears everybody no farther than that.
pub fn receiving(range: Range) -> Ranges {
    Ranges { tx: Range::Unlimited, rx: range }
}

/// The target's burst that has begun and not ended, with its grade.
pub fn begun(heard: &[Heard]) -> Option<(BurstNo, Option<SignalGrade>)> {
    let mut hears = None;
    for heard in heard {
        match &heard.message {
            ServerMessage::BurstStarted { burst, talker, grade, .. }
                if talker.person.handle.as_str() == TARGET =>
            {
                hears = Some((*burst, *grade));
            }
            ServerMessage::BurstEnded { burst, .. } if hears.is_some_and(|(heard, _)| heard == *burst) => {
                hears = None;
            }
            _ => {}
        }
    }
    hears
}
