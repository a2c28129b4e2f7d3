//! Which sockets take frames now, in a short array: a large channel is served from the processor's cache, while the
//! connections lie far apart in memory.

use std::os::fd::RawFd;

use tenfour_core::ConnId;

use super::place_of;

/// One for each place in the table of connections.
#[derive(Debug, Default)]
pub(super) struct Lanes(Vec<Option<(ConnId, Lane)>>);

/// A socket that frames can be sent to, since nothing else has to be sent before.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lane {
    pub(super) socket: RawFd,
    /// Frames have to be sealed first.
    pub(super) tls: bool,
}

impl Lanes {
    /// The lane of a connection that takes frames now.
    pub(super) fn lane(&self, conn: ConnId) -> Option<Lane> {
        let lane = self.0.get(place_of(conn)).copied().flatten();
        lane.filter(|&(of, _)| of == conn).map(|(_, lane)| lane)
    }

    /// Notes after each write whether the connection still takes frames.
    pub(super) fn note(&mut self, conn: ConnId, lane: Option<Lane>) {
        let place = place_of(conn);
        if place >= self.0.len() {
            self.0.resize(place + 1, None);
        }
        self.0[place] = lane.map(|lane| (conn, lane));
    }

    /// The socket is about to be closed: its number will be somebody else's.
    pub(super) fn close(&mut self, conn: ConnId) {
        if let Some(lane) = self.0.get_mut(place_of(conn)) {
            lane.take_if(|&mut (of, _)| of == conn);
        }
    }
}
