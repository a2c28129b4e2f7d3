//! The answer to `GET me`. The rows of the connection log have no limit, so a long answer is made while it is sent.

use std::io;
use std::iter::Peekable;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::Json;
use axum::body::Body;
use axum::http::Response;
use axum::http::header::{CONTENT_TYPE, HeaderValue};
use axum::response::IntoResponse;
use bytes::Bytes;
use hyper::body::Frame;
use tenfour_core::mutant;
use tenfour_core::reach::scrub_stack;
use tenfour_protocol::http::{Held, HeldConnection};
use tenfour_protocol::{Refusal, UserId};
use tokio::sync::mpsc;

use super::answer::full;
use crate::connection_log::{HeldPage, Position};
use crate::shared::Shared;

/// What one answer has in memory at most: a piece that is made, one that waits, and one that is sent.
const MEMORY: usize = 1024 * 1024;

/// All that is stored of somebody; `held` has what is not in the connection log.
pub(super) async fn export(
    shared: Arc<Shared>,
    held: Held,
    whose: Option<IpAddr>,
) -> Result<Response<Body>, Refusal> {
    // If the log cannot be read, the status can still say so here.
    let first = shared.connection_log.held_by(held.user, Position::START).await?;
    let elsewhere = match &shared.cluster {
        Some(cluster) => cluster.held_elsewhere(held.user).await,
        None => Vec::new(),
    };
    mutant!(crate::mutants::active(), ExportLess => let first = (crate::mutants::without_last(first.0), first.1));
    match first {
        (rows, None) if elsewhere.is_empty() => Ok(Json(Held { connections: rows, ..held }).into_response()),
        first => in_pieces(shared, held, whose, first, &elsewhere),
    }
}

/// The same when there is much.
fn in_pieces(
    shared: Arc<Shared>,
    held: Held,
    whose: Option<IpAddr>,
    first: HeldPage,
    elsewhere: &[HeldConnection],
) -> Result<Response<Body>, Refusal> {
    let memory = shared.answers.take(whose, MEMORY).ok_or_else(full)?;
    let mut elsewhere: Vec<_> = elsewhere.iter().map(line).collect();
    elsewhere.sort_unstable();
    let (pieces, waiting) = mpsc::channel(1);
    tokio::spawn(async move {
        let _memory = memory;
        let elsewhere = elsewhere.into_iter().peekable();
        // Whoever asked may have gone away. A missing end tells that the answer is not complete.
        Export { shared, pieces, rows: 0, elsewhere }.write(held, first).await.ok();
        // The stack of this thread still has rows of a user.
        scrub_stack();
    });
    let mut response = Response::new(Body::new(Pieces(waiting)));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}

/// An export that is being written.
struct Export {
    shared: Arc<Shared>,
    pieces: mpsc::Sender<Piece>,
    /// So many are written.
    rows: usize,
    /// Rows of other nodes, in order.
    elsewhere: Peekable<std::vec::IntoIter<String>>,
}

/// Some bytes, or the end.
type Piece = Option<Bytes>;

/// It was not written to its end.
struct Cut;

impl Export {
    async fn write(&mut self, held: Held, first: HeldPage) -> Result<(), Cut> {
        let mut head = serde_json::to_string(&held).map_err(|_| Cut)?;
        // Open again, for the rows.
        head.pop();
        self.send(head).await?;
        self.connections(held.user, first).await?;
        self.send("}".into()).await?;
        self.pieces.send(None).await.map_err(|_| Cut)
    }

    async fn connections(&mut self, user: UserId, (mut rows, mut next): HeldPage) -> Result<(), Cut> {
        loop {
            let mut piece = String::new();
            for row in rows.iter().map(line) {
                // A row begins with its time.
                while let Some(earlier) = self.elsewhere.next_if(|other| *other < row) {
                    self.add(&mut piece, &earlier);
                }
                self.add(&mut piece, &row);
            }
            self.send(piece).await?;
            let Some(at) = next else { break };
            (rows, next) = self.shared.connection_log.held_by(user, at).await.map_err(|_| Cut)?;
        }
        while let Some(row) = self.elsewhere.next() {
            let mut piece = String::new();
            self.add(&mut piece, &row);
            self.send(piece).await?;
        }
        if self.rows > 0 { self.send("\n]".into()).await } else { Ok(()) }
    }

    fn add(&mut self, piece: &mut String, row: &str) {
        piece.push_str(if self.rows == 0 { ",\"connections\":[\n" } else { ",\n" });
        piece.push_str(row);
        self.rows += 1;
    }

    async fn send(&mut self, piece: String) -> Result<(), Cut> {
        if piece.is_empty() {
            return Ok(());
        }
        self.pieces.send(Some(piece.into())).await.map_err(|_| Cut)
    }
}

fn line(row: &HeldConnection) -> String {
    serde_json::to_string(row).expect("a row is JSON")
}

/// A body that comes in pieces. Without its end it fails, and the connection with it.
struct Pieces(mpsc::Receiver<Piece>);

impl hyper::body::Body for Pieces {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        Poll::Ready(match ready!(self.0.poll_recv(context)) {
            Some(Some(piece)) => Some(Ok(Frame::data(piece))),
            Some(None) => None,
            None => Some(Err(io::ErrorKind::UnexpectedEof.into())),
        })
    }
}
