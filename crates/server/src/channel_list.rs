//! The list of channels, made once for all who ask at the same time.

use std::time::Duration;

use bytes::Bytes;
use tenfour_protocol::http::Channels;
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep_until};

use crate::orders::HubHandle;

/// The hub is asked no more often than this: with every name in use a list takes some milliseconds of the thread
/// that decides who may talk.
const MIN_INTERVAL: Duration = Duration::from_millis(50);

/// The list that was made last, and when it was asked for.
#[derive(Debug, Default)]
pub(crate) struct ChannelList(Mutex<Option<(Instant, Bytes)>>);

impl ChannelList {
    /// A list that was made after this was called, or nothing when the server stops. All who wait share it.
    pub(crate) async fn get(&self, hub: &HubHandle, host: &str) -> Option<Bytes> {
        let asked = Instant::now();
        let mut last = self.0.lock().await;
        if let Some((made, list)) = &*last {
            if *made > asked {
                return Some(list.clone());
            }
            sleep_until(*made + MIN_INTERVAL).await;
        }
        let now = Instant::now();
        let channels = hub.channels().await?;
        let channels = Channels { host: host.to_owned(), channels };
        let list = Bytes::from(serde_json::to_vec(&channels).expect("channels are JSON"));
        *last = Some((now, list.clone()));
        Some(list)
    }
}
