//! `/api/v1/channels`.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::{CONTENT_TYPE, HeaderValue};
use axum::response::{IntoResponse, Response};
use tenfour_protocol::Code;
use tenfour_protocol::http::{Channels, Problem};

use super::api::Answer;
use crate::shared::Shared;

/// The numbered channels, then the named ones that have visitors.
#[utoipa::path(get, path = "/api/v1/channels", responses(
    (status = 200, description = "The channels, in order.", body = Channels),
    (status = "default", description = "Refused.", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn channels(State(shared): State<Arc<Shared>>) -> Answer<Response> {
    let list = shared.channels.get(&shared.hub, &shared.about.host).await.ok_or(Code::GoingAway)?;
    Ok(([(CONTENT_TYPE, HeaderValue::from_static("application/json"))], list).into_response())
}
