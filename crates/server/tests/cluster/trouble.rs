//! What is wrong with NATS is said, with what to do.

use std::io::Write;
use std::net::TcpListener;
use std::time::{Duration, Instant};

use tenfour_protocol::ContactText;
use tenfour_server::bus::{Bus, BusError, Event, Lane, OverNats};
use tenfour_server::store::{JetStream, Left, Minute, Store};

use crate::nats::NatsServer;
use crate::store::user;

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

/// The example for operators, as one server instead of three.
#[test]
fn a_node_may_do_all_it_has_to_with_the_rights_of_the_example() {
    let example = include_str!("../../../../deploy/cluster/nats.conf");
    assert!(
        !example.lines().any(|line| !line.starts_with('#') && line.contains("0.0.0.0")),
        "it listens where it must"
    );
    let (alone, cluster) = example.split_once("\ncluster {").unwrap();
    assert!(cluster.contains("verify: true"));
    let ours = ["listen:", "http:", "    store_dir:", "    cert_file:", "    key_file:"];
    let lines = alone.lines().filter(|line| !ours.iter().any(|start| line.starts_with(start)));
    let folder = tempfile::tempdir().unwrap();
    let in_folder = |name: &str| folder.path().join(name);
    let text = lines.collect::<Vec<_>>().join("\n");
    // A server that has to have a certificate is the subject of `secure`.
    assert!(text.contains("\ntls {\n}"), "{text}");
    std::fs::write(in_folder("nats.conf"), text.replace("\ntls {\n}", "")).unwrap();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/cluster/secrets.sh");
    for _twice in 0..2 {
        let made = std::process::Command::new(script)
            .arg(folder.path())
            .args(["127.0.0.1", "nats.example"])
            .output();
        assert!(made.as_ref().unwrap().status.success(), "{made:?}");
    }
    for name in ["127.0.0.1.pem", "nats.example.key", "nats-ca.pem", "cluster.secret"] {
        let mode = std::os::unix::fs::PermissionsExt::mode(
            &std::fs::metadata(in_folder(name)).unwrap().permissions(),
        );
        assert_eq!(mode & 0o077, 0, "{name}");
    }
    assert!(!in_folder("ca.key").exists(), "who has it could be a server of NATS");
    let server = NatsServer::with(&["-c", in_folder("nats.conf").to_str().unwrap()]);
    let mut nats = server.nats("alpha");
    assert!(refused(&nats).contains("refuses these credentials"), "not everybody gets in");
    (nats.creds, nats.secret) = (Some(in_folder("nats.creds")), Some(in_folder("cluster.secret")));
    let (mut one, mut told) = JetStream::open(&nats).unwrap();
    one.insert_user(&user(1)).unwrap();
    assert_eq!(told.blocking_recv().unwrap().users, [user(1)], "changes are told");
    assert!(one.spend_nonce(&[1; 32]).unwrap());
    assert_eq!(
        one.put_message(&user(1).id, &ContactText::parse("x").unwrap(), Minute(1)).unwrap(),
        Left::Done
    );
    assert!(one.erase(&user(1).id).unwrap());
    one.scrub().unwrap();
    let (heard, hears) = std::sync::mpsc::channel();
    let quiet = || Box::new(|_: Event<'_>| {});
    let hearer = Box::new(move |event: Event<'_>| {
        if let Event::Message { subject, .. } = event {
            heard.send(subject.to_owned()).ok();
        }
    });
    let alpha = OverNats::open(&nats, 1, quiet(), hearer).unwrap();
    nats.node = "beta".into();
    let beta = OverNats::open(&nats, 2, quiet(), quiet()).unwrap();
    nats.node = "alpha".into();
    let taken = OverNats::open(&nats, 3, quiet(), quiet()).unwrap_err();
    assert!(matches!(taken, BusError::NameTaken(_)), "{taken}");
    alpha.subscribe(Lane::Voice, "voice.19.25km.*");
    let deadline = Instant::now() + Duration::from_secs(5);
    while hears.try_recv().is_err() {
        assert!(Instant::now() < deadline, "voice comes through");
        beta.publish(Lane::Voice, "voice.19.25km.841f8d7ffffffff", &[b"hello"]);
        std::thread::yield_now();
    }
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
