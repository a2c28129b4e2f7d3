//! The public listener: takes connections and hands them to the workers in turn.

use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use axum::http::HeaderMap;
use tenfour_protocol::http::Problem;
use tenfour_protocol::{Code, Refusal};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

use crate::http::secure;
use crate::shared::Shared;
use crate::worker::ToWorker;

/// A look at the certificate files this often.
const CERTIFICATES: Duration = Duration::from_secs(2);
/// When somebody who was turned away may try again.
const RETRY_MILLIS: u32 = 5000;
/// When the system has no more sockets, waiting for one to end helps; trying at once does not.
const BREATH: Duration = Duration::from_millis(50);

/// Takes connections until the task is dropped.
pub(crate) async fn accept(
    listener: TcpListener,
    shared: Arc<Shared>,
    workers: Vec<mpsc::UnboundedSender<ToWorker>>,
) {
    let full = full();
    for worker in workers.iter().cycle() {
        let (socket, peer) = next(&listener).await;
        match shared.doors.enter() {
            Some(permit) => {
                // A worker that has ended: the server stops.
                worker.send(ToWorker::Socket(socket, peer, permit)).ok();
            }
            None if shared.secure() => {} // Words would have to wait for a handshake.
            None => turn_away(socket, &full).await,
        }
    }
}

async fn next(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await.and_then(|(socket, peer)| Ok((socket.into_std()?, peer))) {
            Ok(accepted) => return accepted,
            Err(error) => {
                tracing::warn!(reason = %error, "a connection could not be taken");
                sleep(BREATH).await;
            }
        }
    }
}

/// One try to say why.
async fn turn_away(socket: TcpStream, why: &[u8]) {
    if let Ok(mut socket) = tokio::net::TcpStream::from_std(socket) {
        timeout(BREATH, socket.write_all(why)).await.ok();
    }
}

/// The answer when there is no room for more. It is made once and costs no reading.
fn full() -> Vec<u8> {
    let problem = Problem::from(Refusal::from(Code::ServerFull).retry_after(RETRY_MILLIS));
    let body = serde_json::to_string(&problem).expect("a problem is JSON");
    let mut headers = HeaderMap::new();
    secure(&mut headers, false);
    let mut answer = format!(
        "HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\ncontent-length: {}\r\n\
         content-type: application/problem+json\r\nretry-after: {}\r\n",
        body.len(),
        RETRY_MILLIS / 1000,
    );
    for (name, value) in &headers {
        answer += &format!("{name}: {}\r\n", value.to_str().expect("headers of ours are text"));
    }
    (answer + "\r\n" + &body).into_bytes()
}

/// Reads certificates again when their files change.
pub(crate) async fn watch_certificates(shared: Arc<Shared>) {
    let Some(certificates) = &shared.tls else { return };
    let mut ticks = interval(CERTIFICATES);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        certificates.refresh();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_turned_away_is_told_why_in_a_whole_answer() {
        let answer = String::from_utf8(full()).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let problem: Problem = serde_json::from_str(body).unwrap();
        assert_eq!((problem.code, problem.status), (Code::ServerFull, 503));
        assert!(head.contains(&format!("\r\ncontent-length: {}\r\n", body.len())), "{head}");
        assert!(head.contains("\r\ncontent-security-policy: default-src 'none'"), "{head}");
    }
}
