//! `/api/v1/contact`: a message to the operator.

use std::sync::Arc;

use axum::extract::{Extension, State};
use axum::http::StatusCode;
use axum::http::header::HeaderMap;
use tenfour_protocol::http::{Contact, Problem};

use super::api::{Answer, Body, parse, session};
use super::request::Peer;
use crate::shared::Shared;

/// Writes to the operator, who sees it with the identifier of the session's user and the handle of
/// this moment.
#[utoipa::path(post, path = "/api/v1/contact", request_body = Contact, responses(
    (status = 204, description = "It waits for the operator, for 90 days at most."),
    (status = "default", description = "Refused.", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn contact(
    State(shared): State<Arc<Shared>>,
    Extension(Peer(peer)): Extension<Peer>,
    headers: HeaderMap,
    body: Body,
) -> Answer<StatusCode> {
    let (_, session) = session(&shared, &headers).await?;
    let contact: Contact = parse(body)?;
    shared.auth.contact(session.user, contact, peer).await?;
    shared.metrics.contacts.inc();
    tracing::info!("somebody has written to the operator: `tenfour admin inbox` shows it");
    Ok(StatusCode::NO_CONTENT)
}
