//! A session on a socket.

mod pair;

use std::sync::Arc;

use pair::{VERSIONS, configs};
use rustls::pki_types::ServerName;
use tenfour_tls::{Row, Session, accept, connect};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

/// What a pipe of the test holds: less than a record, so that records are cut.
const PIPE: usize = 1000;

fn name() -> ServerName<'static> {
    ServerName::try_from("localhost").unwrap()
}

#[tokio::test]
async fn both_ends_talk_over_a_pipe_that_is_shorter_than_a_record() {
    for version in VERSIONS {
        let (server, client) = configs(version);
        let (here, there) = duplex(PIPE);
        let served = tokio::spawn(async move {
            let mut stream = accept(there, server).await.unwrap();
            let mut heard = Vec::new();
            stream.read_to_end(&mut heard).await.unwrap();
            stream.write_all(&heard).await.unwrap();
            stream.shutdown().await.unwrap();
        });
        let mut stream = connect(here, Arc::new(client), name()).await.unwrap();
        let said: Vec<u8> = (0..100_000_u32).map(|n| n as u8).collect();
        stream.write_all(&said).await.unwrap();
        // The other direction stays open.
        stream.shutdown().await.unwrap();
        let mut echo = Vec::new();
        stream.read_to_end(&mut echo).await.unwrap();
        assert!(echo == said, "{version:?}");
        served.await.unwrap();
    }
}

/// Reads until the other side is silent, and shows it to the session.
async fn hear(pipe: &mut DuplexStream, session: &mut Session) {
    let mut buffer = vec![0; 20_000];
    let kept = session.kept().len();
    buffer[..kept].copy_from_slice(session.kept());
    let came = pipe.read(&mut buffer[kept..]).await.unwrap();
    session.read(&mut buffer[..kept + came], |_| true).unwrap();
}

/// The end of the handshake, a question and the end of the connection in one packet.
#[tokio::test]
async fn first_and_last_words_with_the_end_of_the_handshake_are_heard() {
    for version in VERSIONS {
        let (server, client) = configs(version);
        let (mut here, there) = duplex(100_000);
        let served = tokio::spawn(async move {
            let mut stream = accept(there, server).await.unwrap();
            let mut heard = Vec::new();
            stream.read_to_end(&mut heard).await.unwrap();
            heard
        });
        let mut session = Session::client(Arc::new(client), name()).unwrap();
        let mut packet = Vec::new();
        while !session.is_open() {
            let words = session.pending().to_vec();
            session.sent(words.len());
            here.write_all(&words).await.unwrap();
            hear(&mut here, &mut session).await;
        }
        packet.extend_from_slice(session.pending());
        session.sent(packet.len());
        let mut row = Row::new(2000);
        let question = session.seal(b"a question", &mut row).unwrap();
        packet.extend_from_slice(row.get(question));
        session.close();
        packet.extend_from_slice(session.pending());
        here.write_all(&packet).await.unwrap();
        assert_eq!(served.await.unwrap(), b"a question", "{version:?}");
    }
}

/// A connection that is cut is not one that ended.
#[tokio::test]
async fn a_cut_is_told_from_an_end() {
    let (server, client) = configs(VERSIONS[1]);
    let (here, there) = duplex(100_000);
    let served = tokio::spawn(async move {
        let mut stream = accept(there, server).await.unwrap();
        stream.write_all(b"welcome").await.unwrap();
        stream.read(&mut [0; 10]).await
    });
    let mut stream = connect(here, Arc::new(client), name()).await.unwrap();
    stream.read_exact(&mut [0; 7]).await.unwrap();
    drop(stream);
    assert_eq!(served.await.unwrap().unwrap_err().kind(), std::io::ErrorKind::UnexpectedEof);
}

/// Nor is somebody who is not trusted, and it is said why.
#[tokio::test]
async fn a_stranger_is_not_believed() {
    let (server, _) = configs(VERSIONS[1]);
    let (_, client) = configs(VERSIONS[1]);
    let (here, there) = duplex(100_000);
    let served = tokio::spawn(accept(there, server));
    let error = connect(here, Arc::new(client), name()).await.err().unwrap();
    let why = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    assert!(matches!(why, Some(rustls::Error::InvalidCertificate(_))), "{error}");
    let told = served.await.unwrap().err().unwrap();
    assert!(told.to_string().contains("alert"), "{told}");
}
