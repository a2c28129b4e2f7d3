//! Of somebody who is erased nothing is left in the data folder and in the log, and a second later
//! neither handle, description, key, session nor message to the operator in the server's memory. The bytes of an identifier
//! are not looked for there: the runtime keeps records of sockets that are closed for a while, whose
//! gaps have what lay on the stack when they were made, and that may be the last identifiers.

use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use data_encoding::BASE64URL_NOPAD;
use fastrand::Rng;
use tenfour_client::{Client, Identity, Options, Session, log_in};
use tenfour_core::radio::{Event, Input};
use tenfour_protocol::http::Profile;
use tenfour_protocol::{ChannelId, UserId};

use crate::http::{answer, request};
use crate::image::Image;
use crate::line::Line;
use crate::search::{Found, Needle, Search};
use crate::server::Server;
use crate::table::{Row, in_every_mode};

/// People in each mode.
const PEOPLE: usize = 100;
/// Who are there at once.
const BATCH: usize = 50;
/// Form of a needle that is looked for in files alone.
const STORED_ID: &str = "identifier as bytes";
/// A search that begins so long after the erasure, or later, finds nothing.
const PROMISE: Duration = Duration::from_secs(1);

/// Somebody, and what there is to find of them.
struct Somebody {
    session: Session,
    /// A radio that is on the air.
    client: Client,
    needles: Vec<Needle>,
    id: UserId,
    /// Handle and description as they are now.
    profile: Profile,
}

#[test]
fn who_is_erased_is_gone_from_memory_files_and_log() {
    in_every_mode("People, a second after they were erased", |mode| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let image = Image::mount();
        let server = Server::start_in(mode, image.path(), "10s");
        let mut rng = Rng::with_seed(0x16);
        let mut left = Found::default();
        for batch in 0..PEOPLE / BATCH {
            left.add(runtime.block_on(come_and_go(&server, &image, batch * BATCH, &mut rng)));
        }
        vec![Row::new(mode, "erased", PEOPLE, &left)]
    });
}

/// What is left of them, wherever it is.
async fn come_and_go(server: &Server, image: &Image, first: usize, rng: &mut Rng) -> Found {
    let mut people = Vec::new();
    for owner in first..first + BATCH {
        people.push(come(server, owner, rng).await);
    }
    let needles: Vec<Needle> = people.iter().flat_map(|somebody| somebody.needles.clone()).collect();
    let stored = Search::new(needles.clone());
    let held = Search::new(needles.into_iter().filter(|needle| needle.form != STORED_ID));
    let found = held.process(server.pid()).hits;
    for (owner, somebody) in (first..).zip(&people) {
        assert!(found.iter().any(|hit| hit.owner == owner), "{} is looked for in vain", somebody.id);
    }
    assert!(stored.folder(server.data()).hits.len() >= BATCH, "the files are looked into");
    // As a browser, whose connection stays when it was answered.
    let lines: Vec<_> = people.iter().map(|somebody| somebody.tell(server)).collect();
    let at = server.known();
    let mut clients = Vec::new();
    for somebody in people {
        somebody.session.erase(&at).await.unwrap();
        clients.push(somebody.client);
    }
    let erased = Instant::now();
    tokio::time::sleep_until((erased + PROMISE).into()).await;
    let mut left = held.process(server.pid());
    left.add(stored.folder(server.data()));
    left.add(stored.bytes("raw disk", &image.raw()));
    left.add(stored.bytes("log", &server.log()));
    drop(lines);
    left
}

impl Somebody {
    /// Says its handle and its description once more, on a connection that it keeps.
    fn tell(&self, server: &Server) -> Line {
        let mut line = server.door().connect();
        let headers =
            format!("authorization: Bearer {}\r\ncontent-type: application/json\r\n", self.session.token());
        let profile = serde_json::to_string(&self.profile).expect("plain data");
        let request = request("PATCH", server.door(), "/api/v1/me", &headers, &profile);
        line.write_all(&request).expect("the server reads");
        let (head, _) = answer(&mut line);
        assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
        line
    }
}

/// Registers, logs in again, tunes in, and changes handle and description.
async fn come(server: &Server, owner: usize, rng: &mut Rng) -> Somebody {
    let at = server.known();
    let identity = Arc::new(Identity::generate().unwrap());
    let mut word = || (0..14).map(|_| rng.alphabetic()).collect::<String>();
    let (before, after, earlier, later) = (word(), word(), word(), word());
    let letters = [word(), word()];
    let first = log_in(&at, &identity, Some(&before)).await.unwrap();
    let session = log_in(&at, &identity, None).await.unwrap();
    let change = |handle: Option<&String>, description: &String| Profile {
        handle: handle.cloned(),
        description: Some(Some(description.clone())),
    };
    session.change(&at, &change(None, &earlier)).await.unwrap();
    // One that fits into a page of the store, and one that does not.
    for (letter, times) in letters.iter().zip([1, 1_000]) {
        session.contact(&at, &format!("{letter}{}", "🚚".repeat(times))).await.unwrap();
    }
    let id = identity.user();
    let mut forms = vec![
        ("earlier handle", before.into_bytes()),
        ("earlier description", earlier.into_bytes()),
        ("handle", after.clone().into_bytes()),
        ("description", later.clone().into_bytes()),
        ("identifier", id.to_string().into_bytes()),
        (STORED_ID, id.as_bytes().to_vec()),
        ("key", BASE64URL_NOPAD.encode(&identity.public_key()).into_bytes()),
        ("key as bytes", identity.public_key().to_vec()),
    ];
    forms.extend(letters.map(|letter| ("message", letter.into_bytes())));
    for token in [first.token(), session.token()] {
        forms.push(("token", token.as_bytes().to_vec()));
        forms.push(("token as bytes", BASE64URL_NOPAD.decode(token.as_bytes()).unwrap()));
    }
    for held in session.held(&at).await.unwrap().sessions {
        forms.push(("hash of a token", BASE64URL_NOPAD.decode(held.token_hash.as_bytes()).unwrap()));
    }
    let options = Options { program: "people 1".into(), ..Options::default() };
    let mut client = Client::new(at.clone(), identity, first, options);
    client.handle(Input::Tune { channel: ChannelId::numbered(19).unwrap(), catch_up: false });
    while !matches!(client.next().await, Event::Tuned { .. }) {}
    let profile = change(Some(&after), &later);
    session.change(&at, &profile).await.unwrap();
    let needles = forms.into_iter().map(|(form, bytes)| Needle::new(owner, form, bytes)).collect();
    Somebody { session, client, needles, id, profile }
}
