//! What a socket keeps, and for how long. The clock is the test's.

use std::sync::Arc;

use rustls::pki_types::{PrivateKeyDer, ServerName};
use tokio::io::{AsyncReadExt, DuplexStream, duplex};

use super::*;

impl Carrier for DuplexStream {
    fn session(&self) -> Option<&tenfour_tls::Session> {
        None
    }
}

impl Carrier for tenfour_tls::Stream<DuplexStream> {
    fn session(&self) -> Option<&tenfour_tls::Session> {
        Some(tenfour_tls::Stream::session(self))
    }
}

const SECOND: Duration = Duration::from_secs(1);
/// A text message of 20 bytes that is not finished, and another part of it.
const BEGIN: [u8; 6] = [0x01, 4, b'{', b'"', b'a', b'"'];
const MORE: [u8; 4] = [0x00, 2, b':', b'"'];
const PING: [u8; 2] = [0x89, 0];

/// Turns until a second has passed: what was heard, or the end.
async fn second<S: Carrier>(socket: &mut Socket<S>) -> Result<Vec<Input>, Over> {
    let (end, mut heard) = (Instant::now() + SECOND, Vec::new());
    loop {
        tokio::select! {
            biased;
            () = sleep_until(end) => return Ok(heard),
            turned = socket.turn(&mut heard) => turned?,
        }
    }
}

/// Seconds until the link is ended, when the server sends `pieces` one a second, and then nothing but the last
/// of them, again and again; at most 100.
async fn ends_after(pieces: &[&[u8]]) -> u64 {
    let (client, mut server) = duplex(1 << 20);
    let mut socket = Socket::new(client);
    for number in 0..100 {
        let piece = pieces.get(number).or(pieces.last()).unwrap();
        server.write_all(piece).await.unwrap();
        match second(&mut socket).await {
            Ok(_) => assert!(socket.scratch.iter().all(|byte| *byte == 0), "what was read is wiped"),
            Err(over) => {
                assert_eq!(over, Over::LOST);
                return number as u64;
            }
        }
    }
    100
}

#[tokio::test(start_paused = true)]
async fn what_has_not_come_whole_ends_the_link_when_it_is_as_old_as_a_dead_one() {
    let dead = DEAD_TIME.as_secs();
    assert_eq!(ends_after(&[&[0x82, 126, 1], &[0], &[9]]).await, dead, "a frame, byte by byte");
    assert_eq!(ends_after(&[&BEGIN, &PING]).await, dead, "the server pings meanwhile");
    assert_eq!(ends_after(&[&BEGIN, &MORE]).await, dead, "a message without an end");
    let whole = [&[9, 0x82, 3, 1][..], &[2]].concat();
    assert_eq!(ends_after(&[&[0x82, 2, 1], &whole]).await, 100, "each frame is finished by the next piece");
    assert_eq!(ends_after(&[&PING]).await, 100);
}

#[tokio::test(start_paused = true)]
async fn a_record_of_tls_that_has_not_come_whole_ends_the_link_too() {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let config = rustls::ServerConfig::builder_with_provider(provider.clone());
    let config = config.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
    let config = config.with_single_cert(vec![made.cert.der().clone()], key).unwrap();
    let mut roots = rustls::RootCertStore::empty();
    roots.add(made.cert.der().clone()).unwrap();
    let trusting = rustls::ClientConfig::builder_with_provider(provider);
    let trusting = trusting.with_safe_default_protocol_versions().unwrap();
    let trusting = trusting.with_root_certificates(roots).with_no_client_auth();
    // What the server sends goes through the hands of the test, which may hold it back.
    let (client, mut near) = duplex(1 << 20);
    let (mut far, server) = duplex(1 << 20);
    let shaken = tokio::spawn(async move { tenfour_tls::accept(server, Arc::new(config)).await.unwrap() });
    let name = ServerName::try_from("localhost").unwrap();
    let connecting = tenfour_tls::connect(client, Arc::new(trusting), name);
    let connected = tokio::select! {
        connected = connecting => connected.unwrap(),
        _ = tokio::io::copy_bidirectional(&mut near, &mut far) => panic!("neither end closes"),
    };
    let mut socket = Socket::new(connected);
    let mut bytes = vec![0; 1 << 16];
    // The client's last words, and the server's tickets.
    let read = near.read(&mut bytes).await.unwrap();
    far.write_all(&bytes[..read]).await.unwrap();
    let mut server = shaken.await.unwrap();
    server.write_all(&[&[0x82, 40][..], &[7; 40]].concat()).await.unwrap();
    let read = far.read(&mut bytes).await.unwrap();
    near.write_all(&bytes[..read - 1]).await.unwrap();
    let heard = second(&mut socket).await.unwrap();
    assert!(heard.is_empty() && socket.record.is_some(), "all but one byte has come: {heard:?}");
    let since = Instant::now();
    assert_eq!(socket.turn(&mut Vec::new()).await, Err(Over::LOST));
    assert_eq!(since.elapsed(), DEAD_TIME - SECOND);
}

#[tokio::test(start_paused = true)]
async fn what_is_too_large_or_against_the_rules_ends_the_link_with_its_code() {
    let most = u64::try_from(CONTROL_QUEUE_BYTES).unwrap();
    let text = |bytes: u64| [&[0x81, 127][..], &bytes.to_be_bytes()].concat();
    for (bytes, code) in [
        (text(most + 1), 1009),
        (vec![0x82, 126, 1, 157], 1009),
        (vec![0x82, 0x80, 1, 2, 3, 4], 1002),
        (vec![0x81, 1, 0xff], 1007),
    ] {
        let (client, mut server) = duplex(1 << 20);
        let mut socket = Socket::new(client);
        server.write_all(&bytes).await.unwrap();
        let over = second(&mut socket).await.unwrap_err();
        assert_eq!(over, Over { refusal: None, code: Some(code) }, "{bytes:?}");
    }
    let (client, mut server) = duplex(1 << 20);
    let mut socket = Socket::new(client);
    let largest = [text(most), vec![b' '; CONTROL_QUEUE_BYTES]].concat();
    server.write_all(&[&largest[..], &PING].concat()).await.unwrap();
    assert!(matches!(second(&mut socket).await.unwrap()[..], [Input::Alive]));
}

/// A flood of pings is answered by few pongs, and none waits for another.
#[tokio::test(start_paused = true)]
async fn only_the_newest_ping_is_answered() {
    let (client, mut server) = duplex(64);
    let mut socket = Socket::new(client);
    let flood = tokio::spawn(async move {
        for number in 0..1000u16 {
            let [high, low] = number.to_be_bytes();
            server.write_all(&[0x89, 2, high, low]).await.unwrap();
        }
        // Nothing was read so far: now there is room.
        let mut bytes = vec![0; 4096];
        let mut came = 0;
        while let Ok(Ok(read @ 1..)) = timeout(SECOND, server.read(&mut bytes[came..])).await {
            came += read;
        }
        bytes.truncate(came);
        bytes
    });
    // Until it has heard enough.
    while second(&mut socket).await.is_ok() {}
    assert!(socket.out.capacity() <= 64, "{}", socket.out.capacity());
    let frames = flood.await.unwrap();
    let [.., mask, more, _, _, high, low] = frames[..] else { panic!("{frames:?}") };
    assert!(frames.len() / 8 < 100, "{} answers", frames.len() / 8);
    assert_eq!([high ^ mask, low ^ more], 999u16.to_be_bytes(), "the newest");
}
