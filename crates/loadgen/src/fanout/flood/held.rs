//! Floods of connections that are kept open and never finish what they began.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::Result;
use rustls::ClientConnection;
use rustls::pki_types::ServerName;
use socket2::SockRef;

use super::ground::Ground;
use super::streams::LARGE;
use crate::lines::tls;

/// From one check of the connections to the next.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);
const THREADS: usize = 8;
/// The smallest window that the kernel gives.
const WINDOW_BYTES: usize = 2048;
/// Requests that are sent on a connection whose answers are never read.
const REQUESTS: usize = 200;

/// How a connection is opened, and what it says at each check.
#[derive(Clone, Copy)]
pub(super) struct Holding {
    pub(super) connections: usize,
    pub(super) open: fn(&Ground, usize) -> Result<TcpStream>,
    pub(super) trickle: &'static [u8],
}

pub(super) fn run(ground: &Ground, holding: Holding) {
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            scope.spawn(move || hold(ground, holding, thread));
        }
    });
}

fn hold(ground: &Ground, holding: Holding, thread: usize) {
    let numbers = || (thread..holding.connections).step_by(THREADS);
    let mut held: Vec<Option<TcpStream>> = numbers().map(|_| None).collect();
    while !ground.is_over() {
        for (number, slot) in numbers().zip(&mut held) {
            if ground.is_over() {
                return;
            }
            if slot.as_mut().is_some_and(|tcp| stands(tcp, holding.trickle)) {
                continue;
            }
            if slot.take().is_some() {
                ground.tally.refused(|| "closed".into());
            }
            match (holding.open)(ground, number) {
                Ok(tcp) => {
                    ground.tally.sent(0);
                    *slot = tcp.set_nonblocking(true).is_ok().then_some(tcp);
                }
                Err(error) => ground.tally.refused(|| format!("{error:#}")),
            }
        }
        std::thread::sleep(CHECK_INTERVAL);
    }
}

/// Says the next bit, and reads nothing. False when the server has closed.
fn stands(tcp: &mut TcpStream, trickle: &[u8]) -> bool {
    let open = |result: std::io::Result<usize>| match result {
        Ok(_) => true,
        Err(error) => error.kind() == ErrorKind::WouldBlock,
    };
    let peeked = tcp.peek(&mut [0]);
    !matches!(peeked, Ok(0)) && open(peeked) && open(tcp.write(trickle))
}

pub(super) fn idle(ground: &Ground, number: usize) -> Result<TcpStream> {
    ground.connect(number)
}

pub(super) fn slow_head(ground: &Ground, number: usize) -> Result<TcpStream> {
    let mut tcp = ground.connect(number)?;
    tcp.write_all(format!("GET / HTTP/1.1\r\nHost: {}\r\n", ground.address).as_bytes())?;
    Ok(tcp)
}

/// A TLS handshake that stops after the server's answer to the hello.
pub(super) fn unfinished_handshake(ground: &Ground, number: usize) -> Result<TcpStream> {
    let mut tcp = ground.connect(number)?;
    let name = ServerName::from(ground.address.ip());
    let mut hello = ClientConnection::new(tls::config(), name)?;
    hello.write_tls(&mut tcp)?;
    let _ = tcp.read(&mut [0])?;
    Ok(tcp)
}

pub(super) fn unread_pages(ground: &Ground, number: usize) -> Result<TcpStream> {
    let mut tcp = ground.connect(number)?;
    SockRef::from(&tcp).set_recv_buffer_size(WINDOW_BYTES)?;
    let request = format!("GET /privacy HTTP/1.1\r\nHost: {}\r\n\r\n", ground.address).repeat(REQUESTS);
    tcp.set_nonblocking(true)?;
    // Does not wait for what the server does not take.
    let _ = tcp.write(request.as_bytes());
    Ok(tcp)
}

/// A listener whose receive window is soon full.
pub(super) fn zero_window(ground: &Ground, number: usize) -> Result<TcpStream> {
    let tcp = ground.tuned(number, LARGE)?;
    SockRef::from(&tcp).set_recv_buffer_size(WINDOW_BYTES)?;
    Ok(tcp)
}
