//! The operator's listener: `/metrics` and `/health`. It has no personal data, and the public listener does not lead
//! to it.

mod listener;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;
use tenfour_core::mutant;
use tokio::net::TcpListener;

pub(crate) use listener::{Accept, CONNECTIONS, Names, serve as serve_operator};

use crate::shared::Shared;

/// Time for a question and its answer.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Serves until the task is dropped.
pub(crate) async fn serve(listener: TcpListener, names: Names, shared: Arc<Shared>) {
    let by_name = move |request, next| listener::by_name(names.clone(), request, next);
    let router = Router::new()
        .route("/metrics", get(metrics))
        .route("/health", get(health))
        .layer(axum::middleware::from_fn(by_name))
        .layer(axum::middleware::map_response(|mut response: axum::response::Response| async {
            crate::http::secure(response.headers_mut(), false);
            response
        }))
        .with_state(shared);
    listener::serve(listener, router, TIMEOUT).await;
}

async fn metrics(State(shared): State<Arc<Shared>>) -> impl IntoResponse {
    let figures = shared.hub.figures().await.unwrap_or_default();
    let visitors = shared.visitors.of_today().unwrap_or_default();
    shared.metrics.observe(&figures, shared.auth.sessions(), shared.doors.open(), visitors);
    shared.metrics.observe_log(&shared.connection_log.figures());
    if let Some(cluster) = &shared.cluster {
        shared.metrics.observe_nodes(&cluster.figures());
    }
    let text = shared.metrics.text();
    mutant!(let text = crate::mutants::last_connects() + &text);
    ([(CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], text)
}

/// Healthy when the hub answers, and what is stored can be. Each line says one thing that is broken, and what to do.
async fn health(State(shared): State<Arc<Shared>>) -> impl IntoResponse {
    if shared.hub.figures().await.is_none() {
        return (StatusCode::SERVICE_UNAVAILABLE, "going away\n".to_owned());
    }
    let disk = shared.disk.trouble().map(|trouble| trouble.to_string());
    let log = "the connection log cannot be written: look for it in the log of the server, and make room or check rights";
    let log = shared.connection_log.figures().failing.then(|| log.to_owned());
    let store = shared.auth.store_trouble().map(|trouble| format!("the store takes nothing new: {trouble}"));
    let broken: Vec<String> = [disk, store, log].into_iter().flatten().collect();
    match broken.as_slice() {
        [] => (StatusCode::OK, "on the air\n".to_owned()),
        broken => (StatusCode::SERVICE_UNAVAILABLE, broken.join("\n") + "\n"),
    }
}
