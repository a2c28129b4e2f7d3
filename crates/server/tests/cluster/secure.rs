//! NATS behind TLS, as in a network that others can listen to.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;

use serde_json::json;
use tenfour_server::store::JetStream;

use crate::killed::{open, until_others};
use crate::nats::NatsServer;
use crate::process::Process;
use crate::radio::Radio;
use crate::voice::{burst_of, payloads, say, warm};

/// Where a program looks for the authorities it trusts, instead of where the system has them.
const AUTHORITIES: &str = "SSL_CERT_FILE";
/// Frames that cross.
const FRAMES: u16 = 50;

/// Somebody on channel 19 of a node.
async fn arrive(node: &Process, person: u32) -> Radio {
    open(&(node.url.clone(), node.address()), &node.register(person), json!({})).await
}

/// One node asks for TLS by its address, the other is told by the server that it has to be.
#[tokio::test]
async fn nodes_find_each_other_and_voice_crosses_over_tls() {
    let (nats, authority) = NatsServer::secure();
    let start = |scheme: &str, name: &str| {
        let address = format!("{scheme}://127.0.0.1:{}", nats.port);
        Process::at(&address, name, &[(AUTHORITIES, authority.as_path())])
    };
    let (alpha, beta) = (start("tls", "alpha"), start("nats", "beta"));
    until_others(&alpha, 1);
    until_others(&beta, 1);
    let (mut talker, mut listener) = (arrive(&alpha, 1).await, arrive(&beta, 2).await);
    let burst = warm(&mut talker, 1, &mut [&mut listener]).await;
    let sent = say(&mut talker, burst, FRAMES).await;
    let (_, heard) = burst_of(&mut listener, FRAMES.into()).await;
    assert_eq!(payloads(&heard), payloads(&sent), "byte for byte, once, in order");
}

/// Nobody vouches for the certificate here: it is said, with what to do.
#[test]
fn a_nats_that_is_not_trusted_is_refused_in_words() {
    let (server, _) = NatsServer::secure();
    for scheme in ["tls", "nats"] {
        let mut nats = server.nats("alpha");
        nats.servers = vec![format!("{scheme}://127.0.0.1:{}", server.port).parse().unwrap()];
        let words = JetStream::open(&nats).expect_err("it has to be refused").to_string();
        assert!(words.contains("TLS with NATS at") && words.contains("UnknownIssuer"), "{words}");
        assert!(words.contains("one that this system trusts"), "{words}");
    }
}

/// What somebody in between says in clear would pass for the word of the server.
#[test]
fn what_is_said_in_clear_before_tls_is_refused() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let thread = std::thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        socket.write_all(b"INFO {\"version\":\"2.10.0\",\"tls_required\":true}\r\nPONG\r\n").unwrap();
        let mut said = Vec::new();
        // Until it gives up, without a word of its own.
        BufReader::new(socket).read_until(b'!', &mut said).ok();
        said
    });
    let mut nats = NatsServer::start().nats("alpha");
    nats.servers = vec![format!("nats://127.0.0.1:{port}").parse().unwrap()];
    let words = JetStream::open(&nats).expect_err("it has to be refused").to_string();
    assert!(words.contains("said in clear"), "{words}");
    assert_eq!(thread.join().unwrap(), b"", "no credentials are told either");
}
