//! The operator's calls to a running server: `/api/v1/operator`. Only the operator's socket leads here
//! (`operator/socket.rs`); the public listener does not.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use tenfour_core::reach::scrub_stack;
use tenfour_protocol::http::Held;
use tenfour_protocol::{Code, Refusal, UserId};

use super::api::Answer;
use crate::connection_log::Position;
use crate::shared::Shared;
use crate::store::Letter;

/// The operator's calls.
pub(crate) fn operator_calls(shared: &Arc<Shared>) -> Router {
    Router::new()
        .route("/api/v1/operator/subjects/{id}", get(subject))
        .route("/api/v1/operator/inbox", get(inbox))
        .route("/api/v1/operator/inbox/remove", post(remove))
        .fallback(super::api::not_found)
        .with_state(shared.clone())
}

/// All that is stored of a user, with the rows of this node's connection log. `null` when the user is not known.
async fn subject(State(shared): State<Arc<Shared>>, Path(id): Path<String>) -> Answer<Json<Option<Held>>> {
    let id: UserId = id.parse().map_err(|_| Code::NotFound)?;
    let Some(mut held) = shared.auth.subject(id).await.map_err(|error| failed(&error))? else {
        return Ok(Json(None));
    };
    let mut next = Some(Position::START);
    while let Some(at) = next {
        let (rows, more) = shared.connection_log.held_by(id, at).await.map_err(|error| failed(&error))?;
        held.connections.extend(rows);
        next = more;
    }
    // The stack of this thread still has rows of a user.
    scrub_stack();
    Ok(Json(Some(held)))
}

/// What people wrote to the operator, the newest last.
async fn inbox(State(shared): State<Arc<Shared>>) -> Answer<Json<Vec<Letter>>> {
    Ok(Json(shared.auth.letters().await.map_err(|error| failed(&error))?))
}

/// Removes the messages of these numbers, and overwrites their bytes.
async fn remove(State(shared): State<Arc<Shared>>, Json(ids): Json<Vec<u32>>) -> Answer<StatusCode> {
    // The thread of the store has logged why.
    let words = "the messages are not removed for good: the log of the server says why";
    let refused = |_| Refusal::because(Code::StoreUnavailable, words);
    shared.auth.remove_letters(ids).await.map_err(refused)?;
    Ok(StatusCode::NO_CONTENT)
}

/// The operator reads why.
fn failed(error: &impl std::error::Error) -> Refusal {
    Refusal::because(Code::StoreUnavailable, error.to_string())
}
