//! Repeats here what other nodes do to users: a log-out, another handle, an erasure.

use std::sync::Arc;

use tenfour_core::hub::Input;
use tenfour_protocol::UserId;

use crate::shared::Shared;
use crate::store::Changes;

/// Follows the store until it ends.
pub(crate) async fn follow(mut changes: Changes, shared: Arc<Shared>) {
    while let Some(change) = changes.recv().await {
        let effects = shared.auth.apply(&change);
        for login in effects.logged_out {
            shared.hub.input(Input::LoggedOut { login });
        }
        for login in effects.displaced {
            shared.hub.input(Input::Displaced { login });
        }
        for login in effects.erased {
            shared.hub.input(Input::Erased { login });
        }
        for (login, person) in effects.seen {
            shared.hub.input(Input::Profile { login, person });
        }
        for user in effects.gone {
            erase_log(&shared, user).await;
        }
    }
}

/// What other nodes did to users while this one was off.
pub(crate) async fn erase_who_is_gone(shared: Arc<Shared>) {
    // The thread of the log has said why.
    let Ok(users) = shared.connection_log.users().await else { return };
    for user in users {
        if shared.auth.is_gone(user).await {
            erase_log(&shared, user).await;
        }
    }
}

/// Each node has its own connection log. An erasure that fails now is repeated at the next start.
async fn erase_log(shared: &Shared, user: UserId) {
    let log = &shared.connection_log;
    if log.will_erase(user).await.is_err() || log.erase(user).await.is_err() {
        tracing::error!("an erasure on another node is not done in the connection log of this one yet");
    }
}
