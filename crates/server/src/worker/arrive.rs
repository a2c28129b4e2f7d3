//! A radio socket comes to its worker.

use std::rc::Rc;

use tenfour_core::hub::{Input, ResumeToken};
use tenfour_core::reach::scrub_stack;
use tokio::task::{spawn_local, unconstrained};

use super::Worker;
use super::connection::Connection;
use crate::auth::Session;
use crate::orders::Arrival;
use crate::random::random;
use crate::store::TokenHash;

impl Worker {
    /// Serves a socket from now on.
    pub(super) fn arrive(self: &Rc<Self>, arrival: Box<Arrival>) {
        // The runtime and the task keep records of each socket whose gaps have what lay on the stack, so the stack
        // is wiped first.
        scrub_stack();
        self.begin(arrival);
    }

    /// In a frame of its own, so that it uses the part of the stack that was wiped.
    #[inline(never)]
    fn begin(self: &Rc<Self>, arrival: Box<Arrival>) {
        drop(spawn_local(unconstrained(self.clone().welcome(arrival))));
    }

    async fn welcome(self: Rc<Self>, arrival: Box<Arrival>) {
        let Arrival { mut stream, early, guest, connected } = *arrival;
        if let Err(error) = stream.move_here() {
            tracing::warn!(reason = %error, "a radio socket was lost on its way to its worker");
            return;
        }
        stream.keep_queues_short(self.shared.hold);
        let address = self.shared.households.number(connected.address);
        let now = self.clock.now();
        let connection = {
            let mut table = self.table.borrow_mut();
            let entry = table.vacant_entry();
            let id = self.number(entry.key());
            let share = self.shared.hub.share();
            let connection =
                Rc::new(Connection::new(id, stream, share, (guest.permit, guest.radio), connected, now));
            entry.insert(connection.clone());
            connection
        };
        self.shared.metrics.sockets.inc();
        let Session { login, user, .. } = guest.session;
        let (conn, person, token) = (connection.id, guest.person, ResumeToken(random()));
        self.shared.hub.input(Input::Connected { conn, login, user, address, person, token });
        self.catch_up(&guest.hash, guest.session, guest.changes).await;
        // In a task of its own, which is half a KiB smaller: it does not hold what only this function needs.
        drop(spawn_local(unconstrained(self.attend(connection, early))));
    }

    /// Tells the hub what happened to the user before it knew this connection.
    async fn catch_up(&self, hash: &TokenHash, Session { login, user, .. }: Session, changes: u64) {
        let auth = &self.shared.auth;
        if !auth.stands(hash) {
            return self.shared.hub.input(Input::LoggedOut { login });
        }
        match auth.user_again(user, changes).await {
            Ok(None) => {}
            Ok(Some(user)) => self.shared.hub.input(Input::Profile { login, person: user.person() }),
            // The user was erased, or the store does not answer: the client comes back and finds out.
            Err(_) => self.shared.hub.input(Input::LoggedOut { login }),
        }
    }
}
