//! `/api/v1/me`: what is stored of the user, and what the user may do with it.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, State};
use axum::http::header::HeaderMap;
use axum::response::Response;
use tenfour_core::hub::Input;
use tenfour_core::mutant;
use tenfour_core::reach::scrub_stack;
use tenfour_protocol::http::{Held, Me, Problem, Profile};
use tenfour_protocol::{Code, Refusal};

use super::api::{Answer, Body, describe, good_bye, parse, session};
use super::export::export;
use super::request::Peer;
use crate::shared::Shared;

/// All that is stored of the user of the session.
#[utoipa::path(get, path = "/api/v1/me", responses(
    (status = 200, description = "All that is stored of you.", body = Held),
    (status = "default", description = "Refused.", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn held(
    State(shared): State<Arc<Shared>>,
    Extension(Peer(peer)): Extension<Peer>,
    headers: HeaderMap,
) -> Answer<Response> {
    let (hash, session) = session(&shared, &headers).await?;
    shared.auth.note_use(hash, session).await;
    let held = shared.auth.held(session.user, &hash).await?;
    let whose = shared.proxies.counted(peer);
    Ok(export(shared, held, whose).await?)
}

/// Changes what others see. Those on the same channels are told.
#[utoipa::path(patch, path = "/api/v1/me", request_body = Profile, responses(
    (status = 200, description = "As it is now.", body = Me),
    (status = "default", description = "Refused.", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn change(
    State(shared): State<Arc<Shared>>,
    Extension(Peer(peer)): Extension<Peer>,
    headers: HeaderMap,
    body: Body,
) -> Answer<Json<Me>> {
    let (_, session) = session(&shared, &headers).await?;
    let profile: Profile = parse(body)?;
    let me = carry_through(async move {
        let tell = |user: &crate::store::User, logins: Vec<_>| {
            for login in logins {
                shared.hub.input(Input::Profile { login, person: user.person() });
            }
        };
        shared.auth.change_profile(session.user, profile, peer, tell).await.map(describe)
    });
    Ok(Json(me.await?))
}

/// Erases the user: everything that is stored, every session, every socket.
#[utoipa::path(delete, path = "/api/v1/me", responses(
    (status = 204, description = "Erased. Nothing of you is left in the files of the store and of the connection log."),
    (status = "default", description = "Refused.", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn erase(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Answer<Response> {
    let (_, session) = session(&shared, &headers).await?;
    let done = good_bye(&shared)?;
    carry_through(async move {
        let close = |login| shared.hub.input(Input::Erased { login });
        // Noted before the user is gone, who could not ask again. Rows are erased once the user cannot connect any
        // more.
        shared.connection_log.will_erase(session.user).await?;
        shared.auth.erase(session.user, close).await?;
        Ok(shared.connection_log.erase(session.user).await?)
    })
    .await?;
    Ok(done)
}

/// Ends every session of the user, this one too.
#[utoipa::path(delete, path = "/api/v1/me/sessions", responses(
    (status = 204, description = "Logged out everywhere."),
    (status = "default", description = "Refused.", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn log_out_everywhere(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
) -> Answer<Response> {
    let (_, session) = session(&shared, &headers).await?;
    let done = good_bye(&shared)?;
    mutant!(crate::mutants::active(), LogOutClientOnly => return Ok(done));
    carry_through(async move {
        let close = |login| shared.hub.input(Input::LoggedOut { login });
        shared.auth.log_out_everywhere(session.user, close).await
    })
    .await?;
    Ok(done)
}

/// Runs to the end even if the client goes away: the hub must hear what was stored.
async fn carry_through<T: Send + 'static>(
    work: impl Future<Output = Result<T, Refusal>> + Send + 'static,
) -> Result<T, Refusal> {
    let work = async move {
        let done = work.await;
        // The stack of this thread still has data of the user, and the thread may sleep for long.
        scrub_stack();
        done
    };
    // It ends early only with the server.
    tokio::spawn(work).await.unwrap_or_else(|_| Err(Code::GoingAway.into()))
}
