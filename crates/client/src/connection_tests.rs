//! A server of the test's own at the other end, plain and over TLS.

use std::sync::Arc;

use rustls::pki_types::PrivateKeyDer;
use sha2::{Digest, Sha256};
use tenfour_protocol::Code;
use tenfour_websocket::{Decoder, Peer, accept, close, ping, text};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use zeroize::Zeroizing;

use super::*;
use crate::Error;

/// Who sends to the test's server.
enum Client {}

impl Peer for Client {
    const MASKS: bool = true;
    const TEXT_BYTES: usize = 4096;
    const BINARY_BYTES: usize = 412;
}

trait Wire: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Wire for T {}

/// The test's server.
struct Host {
    listener: TcpListener,
    server: Server,
    tls: Option<Arc<rustls::ServerConfig>>,
}

impl Host {
    async fn plain() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        Self { listener, server: Server::new(&url, None).unwrap(), tls: None }
    }

    /// With a certificate of its own; the client trusts `fingerprint`, or the right one.
    async fn secure(fingerprint: impl FnOnce(String) -> Option<String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://{}", listener.local_addr().unwrap());
        let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
        let certificate = made.cert.der().clone();
        let right = data_encoding::HEXLOWER.encode(&Sha256::digest(&certificate));
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .unwrap();
        let server = Server::new(&url, fingerprint(right).as_deref()).unwrap();
        Self { listener, server, tls: Some(Arc::new(config)) }
    }

    /// The next connection, after its request, which is returned with it.
    async fn asked(&self) -> std::io::Result<(Box<dyn Wire>, String)> {
        let (socket, _) = self.listener.accept().await?;
        let mut wire: Box<dyn Wire> = match &self.tls {
            None => Box::new(socket),
            Some(config) => Box::new(tenfour_tls::accept(socket, config.clone()).await?),
        };
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(wire.read_u8().await?);
        }
        Ok((wire, String::from_utf8(head).unwrap()))
    }

    /// Opens a connection: the client's end, what it is told, and the server's.
    async fn open(&self) -> (Connection, mpsc::Receiver<(u64, Input)>, Box<dyn Wire>) {
        let (down, told) = mpsc::channel(64);
        let connection = Connection::open(self.server.clone(), token(), 7, down);
        let (mut wire, head) = self.asked().await.unwrap();
        assert!(head.starts_with("GET /api/v1/radio HTTP/1.1\r\n"), "{head}");
        assert!(head.contains(&format!("authorization: Bearer {}\r\n", &*token())), "{head}");
        wire.write_all(switching(&head, "tenfour.v1").as_bytes()).await.unwrap();
        (connection, told, wire)
    }
}

fn token() -> Zeroizing<String> {
    Zeroizing::new("some-token".to_owned())
}

fn switching(head: &str, protocol: &str) -> String {
    let key = head.lines().find_map(|line| line.strip_prefix("sec-websocket-key: ")).expect("a key");
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Accept: {}\r\nSec-WebSocket-Protocol: {protocol}\r\n\r\n",
        accept(key.as_bytes())
    )
}

/// What a client sends until the end of its stream, in words.
async fn said(wire: &mut Box<dyn Wire>) -> Vec<String> {
    let (mut decoder, mut said) = (Decoder::<Client>::default(), Vec::new());
    let mut bytes = vec![0; 4096];
    while let Ok(read @ 1..) = wire.read(&mut bytes).await {
        decoder.feed(&mut bytes[..read], |event| said.push(format!("{event:?}"))).unwrap();
    }
    said
}

async fn told(told: &mut mpsc::Receiver<(u64, Input)>) -> Input {
    let (number, input) = told.recv().await.expect("the connection tells its end");
    assert_eq!(number, 7);
    input
}

#[tokio::test]
async fn messages_go_both_ways_and_the_reason_of_the_end_is_told() {
    for host in [Host::plain().await, Host::secure(Some).await] {
        let (connection, mut inbox, mut wire) = host.open().await;
        assert!(matches!(told(&mut inbox).await, Input::Opened));
        assert!(connection.send_voice(vec![9; 40]));
        assert!(connection.send(&ClientMessage::Ping { n: 3 }));
        let voice = [tenfour_websocket::binary_header(3).as_bytes(), &[1, 2, 3]].concat();
        wire.write_all(&[&text(br#"{"type":"of another day"}"#)[..], &voice].concat()).await.unwrap();
        assert!(matches!(told(&mut inbox).await, Input::Voice(frame) if frame == [1, 2, 3]));
        wire.write_all(&ping()).await.unwrap();
        assert!(matches!(told(&mut inbox).await, Input::Alive));
        // In two pieces: what has not come whole is kept until it has.
        let bye = close(4001, "logged_out");
        wire.write_all(&bye[..5]).await.unwrap();
        wire.flush().await.unwrap();
        wire.write_all(&bye[5..]).await.unwrap();
        let Input::Closed { refusal: Some(refusal) } = told(&mut inbox).await else { panic!("a reason") };
        assert_eq!(refusal.code, Code::LoggedOut);
        let said = said(&mut wire).await;
        let expected = [
            format!("Binary({:?})", [9; 40]),
            r#"Text("{\"type\":\"ping\",\"n\":3}")"#.to_owned(),
            "Pong".to_owned(),
            r#"Close { code: Some(4001), reason: "" }"#.to_owned(),
        ];
        assert_eq!(said, expected);
    }
}

#[tokio::test]
async fn what_a_server_says_instead_of_an_upgrade_is_told() {
    let problem = r#"{"type":"about:blank","title":"x","status":503,"code":"server_full","detail":"y"}"#;
    let in_pieces =
        format!("4\r\n{}\r\n{:x}\r\n{}\r\n0\r\n\r\n", &problem[..4], problem.len() - 4, &problem[4..]);
    let length = problem.len();
    let head = |status: &str, more: &str| format!("HTTP/1.1 {status}\r\n{more}\r\n");
    let cases = [
        (head("503 x", &format!("Content-Length: {length}\r\n")) + problem, Some(Code::ServerFull)),
        (head("503 x", "Transfer-Encoding: chunked\r\n") + &in_pieces, Some(Code::ServerFull)),
        (head("401 x", "Content-Length: 0\r\n"), Some(Code::NotLoggedIn)),
        (head("429 x", "Connection: close\r\n") + "later", Some(Code::TooManyRequests)),
        (head("200 x", "Content-Length: 4\r\n") + "page", None),
        (
            head(
                "101 x",
                "Upgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Accept: of another\r\n",
            ),
            None,
        ),
        ("SSH-2.0-OpenSSH\r\n".to_owned(), None),
        (String::new(), None),
    ];
    let host = Host::plain().await;
    for (answer, code) in cases {
        let (down, mut inbox) = mpsc::channel(64);
        let _connection = Connection::open(host.server.clone(), token(), 7, down);
        let (mut wire, _) = host.asked().await.unwrap();
        wire.write_all(answer.as_bytes()).await.unwrap();
        drop(wire);
        let Input::Closed { refusal } = told(&mut inbox).await else { panic!("{answer}: opened") };
        assert_eq!(refusal.map(|refusal| refusal.code), code, "{answer}");
    }
    // Of another protocol, or of none.
    for protocol in ["tenfour.v0", ""] {
        let (down, mut inbox) = mpsc::channel(64);
        let _connection = Connection::open(host.server.clone(), token(), 7, down);
        let (mut wire, head) = host.asked().await.unwrap();
        wire.write_all(switching(&head, protocol).as_bytes()).await.unwrap();
        assert!(matches!(told(&mut inbox).await, Input::Closed { refusal: None }), "{protocol}");
    }
}

#[tokio::test]
async fn a_client_that_is_done_says_so_after_what_it_said_before() {
    let host = Host::secure(Some).await;
    let (connection, mut inbox, mut wire) = host.open().await;
    assert!(matches!(told(&mut inbox).await, Input::Opened));
    assert!(connection.send_voice(vec![1; 2]) && connection.send_voice(vec![2; 2]));
    drop(connection);
    let expected = ["Binary([1, 1])", "Binary([2, 2])", r#"Close { code: None, reason: "" }"#];
    assert_eq!(said(&mut wire).await, expected);
}

#[tokio::test]
async fn a_server_that_takes_nothing_keeps_nobody() {
    let host = Host::plain().await;
    let (connection, mut inbox, mut wire) = host.open().await;
    assert!(matches!(told(&mut inbox).await, Input::Opened));
    // Until the buffers of the system are full, and then the queue.
    while connection.send_voice(vec![1; 412]) {
        tokio::task::yield_now().await;
    }
    drop(connection);
    assert!(matches!(told(&mut inbox).await, Input::Closed { refusal: None }));
    // The socket is closed, so what is in there has an end.
    while let Ok(1..) = wire.read(&mut [0; 65536]).await {}
}

#[tokio::test]
async fn a_certificate_that_is_not_trusted_is_told_with_the_reason() {
    for (fingerprint, words) in
        [(None, "nobody this computer knows"), (Some("ab".repeat(32)), "another fingerprint")]
    {
        let host = Host::secure(|_| fingerprint).await;
        let (asked, refused) = tokio::join!(host.asked(), host.server.get::<()>("channels", None));
        assert!(asked.is_err(), "it does not say who it is");
        let Err(error @ Error::NotTrusted { .. }) = refused else { panic!("{refused:?}") };
        assert!(error.to_string().contains(words), "{error}");
    }
    let host = Host::secure(Some).await;
    let answer = async {
        let (mut wire, head) = host.asked().await.unwrap();
        wire.write_all(b"HTTP/1.1 204 x\r\n\r\n").await.unwrap();
        head
    };
    let (head, answered) = tokio::join!(answer, host.server.get::<()>("channels", None));
    assert!(head.starts_with("GET /api/v1/channels "), "{head}");
    answered.unwrap();
}

#[tokio::test]
async fn a_server_without_tls_behind_https_is_no_link() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = Server::new(&format!("https://{}", listener.local_addr().unwrap()), None).unwrap();
    let answer = async {
        let (mut socket, _): (TcpStream, _) = listener.accept().await.unwrap();
        socket.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
        socket
    };
    let (_socket, refused) = tokio::join!(answer, server.get::<()>("channels", None));
    assert!(matches!(refused, Err(Error::NoLink { .. })), "{refused:?}");
}
