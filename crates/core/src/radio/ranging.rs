//! How far the person wants to reach and hear, and what the server has confirmed of that.

use std::collections::VecDeque;

use tenfour_protocol::{ClientMessage, Code, Range, Ranges};

use super::button::Way;
use super::{Event, Output, Radio};
use crate::Time;

impl Radio {
    /// `ranged`.
    pub(super) fn ranged(&mut self, ranges: Ranges, now: Time) {
        self.event(Event::Ranged(ranges));
        self.place.ranged(ranges, &mut self.out);
        self.let_go(now);
    }
}

pub(super) struct Ranging {
    wished: Ranges,
    /// What the server last confirmed on this connection.
    have: Ranges,
    /// Sent and not answered yet; one at a time.
    asked: Option<Ranges>,
}

impl Ranging {
    pub(super) fn new(wished: Ranges) -> Self {
        Self { wished, have: Ranges::default(), asked: None }
    }

    /// A connection begins, with or without a cell.
    pub(super) fn hello(&mut self, located: bool) -> Option<Ranges> {
        self.have = Ranges::default();
        self.asked = Some(self.wished).filter(|wished| located && !wished.are_unlimited());
        self.asked
    }

    /// Whether to send the ranges as soon as possible.
    pub(super) fn wish(&mut self, ranges: Ranges) {
        self.wished = ranges;
    }

    /// Sends the chosen ranges, if the server can take them: limited ranges need a cell.
    pub(super) fn sync(&mut self, located: bool, out: &mut VecDeque<Output>) {
        let can = located || self.wished.are_unlimited();
        if can && self.asked.is_none() && self.have != self.wished {
            self.asked = Some(self.wished);
            self.send(out);
        }
    }

    /// Sends again what was refused.
    pub(super) fn send(&self, out: &mut VecDeque<Output>) {
        if let Some(Ranges { tx, rx }) = self.asked {
            out.push_back(Output::Send(ClientMessage::Range { tx, rx }));
        }
    }

    pub(super) fn is_asked(&self) -> bool {
        self.asked.is_some()
    }

    /// The server said which ranges it has. Returns true if others were chosen that were not just asked for.
    pub(super) fn ranged(&mut self, ranges: Ranges) -> bool {
        self.have = ranges;
        self.asked.take() != Some(self.wished)
    }

    /// The server has no cell, so both are unlimited.
    pub(super) fn lost(&mut self) {
        self.have = Ranges::default();
        self.asked = None;
    }

    /// Whether a press would reach exactly as far as was chosen. While the server has no cell (`refused` says why),
    /// no limited range is in force, whatever an earlier answer said.
    pub(super) fn way(&self, located: bool, refused: Option<Code>) -> Way {
        let tx = self.wished.tx;
        match self.asked {
            _ if tx == Range::Unlimited => Way::Open,
            _ if let Some(code) = refused => Way::Closed(code),
            Some(asked) if asked.tx != tx || self.have.tx != tx || !located => Way::Wait,
            _ if located && self.have.tx == tx => Way::Open,
            _ => Way::Closed(Code::LocationNeeded),
        }
    }
}
