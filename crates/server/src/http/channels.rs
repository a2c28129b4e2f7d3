//! `/api/v1/channels`: made once for all who ask in the same moment.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::header::{CONTENT_TYPE, HeaderValue};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use tenfour_protocol::Code;
use tenfour_protocol::http::{Channels, Problem};
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep_until};

use super::api::Answer;
use crate::shared::Shared;

/// The hub is asked no more often than this: with every name in use a list takes some milliseconds of the thread
/// that decides who may talk.
const EVERY: Duration = Duration::from_millis(50);

/// The list that was made last, and when it was asked for.
#[derive(Debug, Default)]
pub(crate) struct ChannelList(Mutex<Option<(Instant, Bytes)>>);

impl ChannelList {
    /// A list that was made after this was called, or nothing when the server stops. All who wait share it.
    async fn get(&self, shared: &Shared) -> Option<Bytes> {
        let asked = Instant::now();
        let mut last = self.0.lock().await;
        if let Some((made, list)) = &*last {
            if *made > asked {
                return Some(list.clone());
            }
            sleep_until(*made + EVERY).await;
        }
        let now = Instant::now();
        let channels = shared.hub.channels().await?;
        let channels = Channels { host: shared.about.host.clone(), channels };
        let list = Bytes::from(serde_json::to_vec(&channels).expect("channels are JSON"));
        *last = Some((now, list.clone()));
        Some(list)
    }
}

/// The numbered channels, then the named ones that have visitors.
#[utoipa::path(get, path = "/api/v1/channels", responses(
    (status = 200, description = "The channels, in order.", body = Channels),
    (status = "default", description = "Refused.", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn channels(State(shared): State<Arc<Shared>>) -> Answer<Response> {
    let list = shared.channels.get(&shared).await.ok_or(Code::GoingAway)?;
    Ok(([(CONTENT_TYPE, HeaderValue::from_static("application/json"))], list).into_response())
}
