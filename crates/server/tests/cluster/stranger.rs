//! Somebody who may publish and read everything on NATS, and does not know the cluster's secret. They can be in the
//! way of NATS itself; they cannot log in as anybody, read anybody, say anything in a node's name, or keep a node
//! from starting.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tenfour_protocol::limits::NODE_SILENT;
use tenfour_protocol::node::NodeId;
use tenfour_server::bus::{Bus, Event, Lane, OverNats};
use tenfour_server::config::Settings;
use tenfour_server::store::{Day, JetStream, Store, StoredSession, User, Written};

use crate::accounts::settings;
use crate::desk::{Desk, Key};
use crate::nats::NatsServer;
use crate::radio::Radio;
use crate::voice::{burst_of, figure, payloads, say, until, warm};
use crate::wiretap::Stranger;

/// Longer than anything here takes.
const TIMEOUT: Duration = Duration::from_secs(20);

/// NATS, and what its nodes know.
struct Town {
    nats: NatsServer,
    secret: PathBuf,
    _folder: tempfile::TempDir,
}

impl Town {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let secret = folder.path().join("cluster.secret");
        let mut options = std::fs::OpenOptions::new();
        let mut file = options.write(true).create(true).mode(0o600).open(&secret).unwrap();
        file.write_all(b"5f2b9c0d7e8a4613a1b2c3d4e5f60718293a4b5c6d7e8f90\n").unwrap();
        Self { nats: NatsServer::start(), secret, _folder: folder }
    }

    fn node(&self, name: &str) -> Desk {
        let secret = Some(self.secret.clone());
        Desk::with(Settings { cluster_secret_file: secret, ..settings(&self.nats, name) })
    }

    fn two(&self) -> [Desk; 2] {
        let nodes = ["alpha", "beta"].map(|name| self.node(name));
        nodes.iter().for_each(|node| until(node, "other_nodes", 1));
        nodes
    }

    /// Our own program, with every right on NATS and without the secret.
    fn thief(&self) -> JetStream {
        JetStream::open(&self.nats.nats("thief")).unwrap().0
    }
}

fn stands(desk: &Desk, token: &str) -> bool {
    desk.ask("GET", "/api/v1/me", token, &Value::Null).status == 200
}

/// Waits until a node has dropped so many messages more.
fn until_refused(desk: &Desk, least: u64) {
    let deadline = Instant::now() + TIMEOUT;
    while figure(desk, "bus_refused_total") < least {
        assert!(Instant::now() < deadline, "{} of {least}", figure(desk, "bus_refused_total"));
        std::thread::yield_now();
    }
}

/// The value of the store as it was, with a session of the stranger's in it.
#[test]
fn a_planted_token_logs_nobody_in_and_locks_nobody_out() {
    let town = Town::new();
    let [alpha, mut beta] = town.two();
    let token = alpha.register(1, "Roadrunner");
    let key = Key::new(1);
    let user = User {
        id: key.user(),
        key: key.public(),
        handle: tenfour_protocol::Handle::parse("Roadrunner").unwrap(),
        description: None,
        created: Day(20_000),
    };
    // A token begins with the tag of its user; nodes ask the store for that.
    let mut planted = [7; 32];
    planted[..3].copy_from_slice(&key.user().as_bytes()[..3]);
    let session = StoredSession { hash: Sha256::digest(planted).into(), user: user.id, used: Day(40_000) };
    let mut thief = town.thief();
    assert_eq!(thief.user(&user.id).unwrap(), None, "who has the disk of NATS reads nobody");
    assert_eq!(thief.insert_user(&user).unwrap(), Written::Done);
    assert!(thief.put_session(&session).unwrap().is_some(), "to our own program it is a user with a session");
    for round in 0..40 {
        // More often than JetStream keeps earlier values.
        thief.put_session(&StoredSession { used: Day(40_001 + round), ..session }).unwrap();
    }
    let planted = BASE64URL_NOPAD.encode(&planted);
    let deadline = Instant::now() + TIMEOUT;
    while figure(&beta, "store_refused_total") == 0 {
        assert!(Instant::now() < deadline, "it is counted");
        std::thread::yield_now();
    }
    for node in [&alpha, &beta] {
        assert!(!stands(node, &planted));
    }
    assert!(
        stands(&alpha, &token) && stands(&alpha, &alpha.log_in(1)),
        "the node that knows them wrote it again"
    );
    assert!(stands(&beta, &beta.log_in(1)));
    beta.stop();
    beta.start();
    assert!(stands(&beta, &beta.log_in(1)) && !stands(&beta, &planted), "and so it is in the store");
    let raw = Stranger::on(&town.nats, &["_INBOX.stranger"], None);
    let handle = b"Roadrunner";
    drop(raw);
    let folder = town.nats.disk();
    assert_eq!(
        found(&folder, &user.key) + found(&folder, handle),
        0,
        "on the disk there is no name and no key"
    );
}

fn found(folder: &std::path::Path, bytes: &[u8]) -> usize {
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_dir() {
            count += found(&entry.path(), bytes);
        } else {
            let file = std::fs::read(entry.path()).unwrap_or_default();
            count += file.windows(bytes.len()).filter(|window| *window == bytes).count();
        }
    }
    count
}

/// An earlier value was made with the secret, too.
#[test]
fn an_earlier_value_that_is_put_back_brings_no_session_back() {
    let town = Town::new();
    let [alpha, beta] = town.two();
    let tag = Key::new(1).user().tag().to_string();
    let subject = format!("$KV.tenfour.tag.{tag}");
    let mut stranger = Stranger::on(&town.nats, &["$KV.tenfour.>"], None);
    let token = alpha.register(1, "Roadrunner");
    let deadline = Instant::now() + TIMEOUT;
    let value = loop {
        // The second one has the session.
        let tape: Vec<_> = stranger.hmsgs(&subject);
        if let [_, second, ..] = &tape[..] {
            break second.clone();
        }
        assert!(Instant::now() < deadline, "{} values", tape.len());
        std::thread::yield_now();
    };
    assert!(stands(&beta, &token));
    assert_eq!(alpha.ask("POST", "/api/v1/logout", &token, &Value::Null).status, 204);
    let deadline = Instant::now() + TIMEOUT;
    while stands(&beta, &token) {
        assert!(Instant::now() < deadline, "it is told");
    }
    let before = figure(&beta, "store_refused_total");
    stranger.publish(&subject, &value);
    while figure(&beta, "store_refused_total") == before {
        assert!(Instant::now() < deadline, "it is counted");
        std::thread::yield_now();
    }
    assert!(!stands(&alpha, &token) && !stands(&beta, &token));
    assert!(stands(&beta, &beta.log_in(1)), "and they log in as before");
}

#[test]
fn what_nodes_sign_with_is_not_on_nats() {
    let town = Town::new();
    let [alpha, beta] = town.two();
    alpha.register(1, "Roadrunner");
    let nonce = alpha.post("/api/v1/nonce", &[], &json!({})).json();
    // Our own program finds no secret of theirs there, and what it makes for itself signs nothing for them.
    let stolen = town.thief().secret().unwrap().unwrap();
    let nonce = BASE64URL_NOPAD.decode(nonce["nonce"].as_str().unwrap().as_bytes()).unwrap();
    assert_eq!(found(&town.nats.disk(), &stolen), 0, "sealed there, too");
    let mut forged: [u8; 32] = nonce.try_into().unwrap();
    forged[0] ^= 1;
    let expiry = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs() + 25;
    let nonce = json!({ "nonce": BASE64URL_NOPAD.encode(&forged), "expiry": expiry });
    let proof = Key::new(1).prove(&nonce, beta.url(), "bearer");
    assert_eq!(beta.post("/api/v1/login", &[], &json!({ "proof": proof })).status, 401);
    assert_eq!(beta.post("/api/v1/nonce", &[], &json!({})).status, 200);
    assert!(stands(&beta, &beta.log_in(1)), "also with a secret of somebody else in the store");
}

/// Somebody hears all that is on NATS, and says it again, and says things of their own.
#[tokio::test]
async fn who_reads_and_writes_everything_hears_nobody_and_forges_nothing() {
    let town = Town::new();
    let mut tape = Stranger::on(&town.nats, &[">"], None);
    let [alpha, beta] = town.two();
    let token = alpha.register(1, "QuailOfXylo");
    let cell = "861e9b40fffffff";
    let mut talker = Radio::arrive(&alpha, &token, json!({ "place": { "cell": cell } })).await;
    talker.expect("located").await;
    talker.tune("19").await;
    let mut listener = Radio::tuned(&beta, 2, "Listener").await;
    let burst = warm(&mut talker, 1, &mut [&mut listener]).await;
    let sent = say(&mut talker, burst, 50).await;
    let (_, heard) = burst_of(&mut listener, 50).await;
    assert_eq!(payloads(&heard), payloads(&sent));

    let voice = payloads(&sent);
    let long = voice.iter().max_by_key(|payload| payload.len()).unwrap();
    for secret in [&long[..], b"QuailOfXylo", cell.as_bytes(), token.as_bytes(), b"burst.start", b"\"beat\""]
    {
        assert!(!tape.has_heard(secret), "{}", String::from_utf8_lossy(secret));
    }
    let frames = tape.tape("tenfour.voice.");
    assert!(frames.len() >= 50, "it has heard what is said, as noise: {}", frames.len());

    // Again, all of it; on other subjects; and things of their own, in clear.
    let mut said = 0;
    let everything = [frames, tape.tape("tenfour.control.")].concat();
    for (subject, payload) in &everything {
        tape.publish(subject, payload);
        said += u64::from(subject.contains("voice.19"));
    }
    let somebody = NodeId(7);
    let start = json!({ "from": somebody, "message": {
        "type": "burst.start", "burst": 1, "word": 1, "channel": "19", "tx": "unlimited", "codec": "opus",
        "frame_ms": 20, "talker": { "id": 9, "handle": "Forged", "tag": "k7f2" } } });
    let end = json!({ "from": somebody, "message": { "type": "burst.end", "burst": 1, "frames": 1, "reason": "released" } });
    let beat = json!({ "from": somebody, "message": { "type": "beat", "name": "forged", "counts": 1 } });
    for _ in 0..20 {
        tape.publish("tenfour.voice.voice.19.unlimited.none", start.to_string().as_bytes());
        tape.publish("tenfour.voice.voice.19.unlimited.none", end.to_string().as_bytes());
        tape.publish("tenfour.control.nodes", beat.to_string().as_bytes());
    }
    until_refused(&beta, said + 40);
    // A burst goes from its first frame to its last among all that, and nothing else is heard.
    let sent = say(&mut talker, burst + 1, 50).await;
    let (started, heard) = burst_of(&mut listener, 50).await;
    assert_eq!(payloads(&heard), payloads(&sent));
    assert_eq!(started["talker"]["handle"], "QuailOfXylo");
    assert_eq!((figure(&alpha, "other_nodes"), figure(&beta, "other_nodes")), (1, 1));
    assert_eq!(figure(&beta, "bus_malformed_total"), 0);
}

/// A node that is gone: what was kept of it is not believed when it is said again.
#[test]
fn a_node_that_is_gone_does_not_come_back_by_its_tape() {
    let town = Town::new();
    let mut tape = Stranger::on(&town.nats, &["tenfour.>"], None);
    let [alpha, mut beta] = town.two();
    // Some beats.
    let deadline = Instant::now() + TIMEOUT;
    while tape.tape("control.nodes").len() < 6 {
        assert!(Instant::now() < deadline, "nodes say each second that they are there");
        std::thread::yield_now();
    }
    beta.stop();
    until(&alpha, "other_nodes", 0);
    // A node that has met nobody yet, and one that knew it.
    let gamma = town.node("gamma");
    [&alpha, &gamma].iter().for_each(|node| until(node, "other_nodes", 1));
    let before = figure(&alpha, "bus_refused_total");
    let words = tape.tape("tenfour.control.");
    let until_then = Instant::now() + NODE_SILENT;
    let mut said = 0;
    while Instant::now() < until_then {
        for (subject, payload) in &words {
            tape.publish(subject, payload);
            said += u64::from(subject.ends_with("nodes"));
        }
        until_refused(&alpha, before + said / 2);
        assert_eq!((figure(&alpha, "other_nodes"), figure(&gamma, "other_nodes")), (1, 1));
    }
}

#[test]
fn who_answers_for_every_name_keeps_no_node_from_starting() {
    let town = Town::new();
    let _liar = Stranger::on(&town.nats, &["tenfour.name.*"], Some(&[0; 40]));
    let _other = Stranger::on(&town.nats, &["tenfour.name.*"], Some(&[0; 8]));
    let [alpha, _beta] = town.two();
    // A name that a node has is taken all the same.
    let secret = Some(town.secret.clone());
    let nats = tenfour_server::nats::Nats { secret, ..town.nats.nats("alpha") };
    let quiet = || Box::new(|_: Event<'_>| {});
    let taken = OverNats::open(&nats, 3, quiet(), quiet()).unwrap_err().to_string();
    assert!(taken.contains("a node named alpha"), "{taken}");
    alpha.register(1, "Roadrunner");
}

#[test]
fn forged_nodes_and_beats_without_end_cost_nobody_anything() {
    const NODES: u64 = 150;
    const BEATS: u64 = 60_000;
    let town = Town::new();
    let [alpha, beta] = town.two();
    let quiet = || Box::new(|_: Event<'_>| {});
    let bus = OverNats::open(&town.nats.nats("forger"), 9, quiet(), quiet()).unwrap();
    let before = figure(&alpha, "bus_refused_total");
    for n in 0..BEATS {
        let from = NodeId(1_000 + n % NODES);
        let beat =
            json!({ "from": from, "message": { "type": "beat", "name": format!("f{n}"), "counts": n } });
        let mut sealed =
            [&[0x40][..], &from.0.to_be_bytes(), &n.to_be_bytes(), beat.to_string().as_bytes()].concat();
        sealed.extend([7; 16]);
        let one = if n % 2 == 0 { beat.to_string().into_bytes() } else { sealed };
        // It waits for the socket when it is too fast.
        while !bus.publish(Lane::Control, "nodes", &[&one]) {
            std::thread::yield_now();
        }
    }
    until_refused(&alpha, before + BEATS);
    assert_eq!((figure(&alpha, "other_nodes"), figure(&beta, "other_nodes")), (1, 1));
    let asked = Instant::now();
    assert_eq!(alpha.get("/api/v1/channels", &[]).status, 200);
    assert!(asked.elapsed() < Duration::from_secs(2), "{:?}", asked.elapsed());
    let token = alpha.register(1, "Roadrunner");
    assert!(stands(&beta, &token), "and the others are heard");
}

/// Who has the wrong file is nobody to the others, and is told why.
#[test]
fn a_node_with_another_secret_is_alone() {
    let town = Town::new();
    let [alpha, _beta] = town.two();
    let wrong = Desk::with(settings(&town.nats, "wrong"));
    until_refused(&alpha, figure(&alpha, "bus_refused_total") + 3);
    assert_eq!((figure(&alpha, "other_nodes"), figure(&wrong, "other_nodes")), (1, 0));
    assert!(figure(&wrong, "bus_refused_total") > 0);
}
