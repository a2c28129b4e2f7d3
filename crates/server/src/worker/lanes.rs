//! Which sockets take frames as they are: a short row, where a large channel is served from the
//! processor's cache, while the connections themselves lie far apart.

use std::os::fd::RawFd;

use tenfour_core::ConnId;

use super::connection::Connection;
use super::place_of;

/// One for each place in the table of connections.
#[derive(Debug, Default)]
pub(super) struct Lanes(Vec<Option<(ConnId, RawFd)>>);

impl Lanes {
    /// The socket, when frames can be sent to it and nothing else has to be sent before.
    pub(super) fn socket(&self, conn: ConnId) -> Option<RawFd> {
        let lane = self.0.get(place_of(conn)).copied().flatten();
        lane.filter(|&(of, _)| of == conn).map(|(_, socket)| socket)
    }

    /// Looks again, after each write.
    pub(super) fn note(&mut self, connection: &Connection) {
        let place = place_of(connection.id);
        if place >= self.0.len() {
            self.0.resize(place + 1, None);
        }
        self.0[place] = connection.takes_frames().map(|socket| (connection.id, socket));
    }

    /// The socket is about to be closed: its number will be somebody else's.
    pub(super) fn close(&mut self, conn: ConnId) {
        if let Some(lane) = self.0.get_mut(place_of(conn)) {
            lane.take_if(|&mut (of, _)| of == conn);
        }
    }
}
