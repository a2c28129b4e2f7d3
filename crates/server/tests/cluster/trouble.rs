//! What is wrong with NATS is said, with what to do.

use std::io::Write;
use std::net::TcpListener;

use tenfour_server::store::JetStream;

use crate::nats::NatsServer;

fn refused(nats: &tenfour_server::nats::Nats) -> String {
    JetStream::open(nats).expect_err("it has to be refused").to_string()
}

#[test]
fn wrong_credentials_are_named() {
    let server = NatsServer::with(&["-js", "--user", "radio", "--pass", "secret"]);
    let mut nats = server.nats("alpha");
    let text = refused(&nats);
    assert!(text.contains("refuses these credentials") && text.contains("--nats-creds"), "{text}");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("nats.creds");
    for (line, good) in [("radio:wrong", false), ("radio:secret", true)] {
        std::fs::write(&file, line).unwrap();
        nats.creds = Some(file.clone());
        let opened = JetStream::open(&nats);
        assert_eq!(opened.is_ok(), good, "{line}");
        assert!(!format!("{:?}", opened.err()).contains("wrong"), "no secret is told");
    }
    nats.creds = Some(folder.path().join("none"));
    assert!(refused(&nats).contains("none has no credentials"));
}

#[test]
fn without_jetstream_it_says_what_is_missing_and_what_works() {
    let server = NatsServer::with(&[]);
    let text = refused(&server.nats("alpha"));
    assert!(text.contains("has no JetStream") && text.contains("nats_store = false"), "{text}");
}

#[test]
fn nobody_there_is_said_with_the_address() {
    let mut nats = NatsServer::start().nats("alpha");
    let text = refused(&nats);
    assert!(text.contains("cannot be reached") && text.contains("127.0.0.1"), "{text}");
    // Any of several will do.
    let server = NatsServer::start();
    nats.servers.extend(server.nats("alpha").servers);
    JetStream::open(&nats).unwrap();
}

#[test]
fn an_old_nats_and_something_else_are_told_apart() {
    for (greeting, words) in [
        ("INFO {\"version\":\"2.2.6\",\"jetstream\":true}\r\n", "is version 2.2.6: use 2.9"),
        ("HTTP/1.1 400 Bad Request\r\n", "it is no NATS"),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let thread = std::thread::spawn(move || {
            let (mut socket, _) = listener.accept().unwrap();
            socket.write_all(greeting.as_bytes()).unwrap();
            // Held until the other side has gone.
            std::io::copy(&mut socket, &mut std::io::sink()).ok();
        });
        let mut nats = NatsServer::start().nats("alpha");
        nats.servers = vec![format!("nats://127.0.0.1:{port}").parse().unwrap()];
        let text = refused(&nats);
        assert!(text.contains(words), "{text}");
        thread.join().unwrap();
    }
}
