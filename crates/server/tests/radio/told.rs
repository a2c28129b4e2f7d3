//! What real sockets carry about others while six people do all there is to do: every byte parses,
//! every field is on the list, and nothing is told of a person but handle, tag, description, country.

#[path = "../../../protocol/tests/told/fields.rs"]
mod fields;

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use fastrand::Rng;
use fields::{Told, fields_of, people_in};
use futures_util::future::join_all;
use h3o::{CellIndex, LatLng};
use serde_json::{Value, json};
use tenfour_protocol::{ServerMessage, VoiceFrame};
use tokio::sync::Barrier;

use crate::desk::{Desk, Key};
use crate::http::request;
use crate::place::cell;
use crate::radio::{Radio, frame};
use crate::tape::{Piece, Read, Tape, pieces};

/// Where people are, and the country others see: next door, across town, in other countries, nowhere.
const PLACES: [Option<(f64, f64, &str)>; 6] = [
    Some((44.8125, 20.4612, "RS")),
    Some((44.8840, 20.4105, "RS")),
    Some((45.3510, 20.4612, "RS")),
    Some((47.4979, 19.0402, "HU")),
    Some((51.9225, 4.4792, "NL")),
    None,
];
/// What one does on a connection: with greeting and leave, within the budget of messages.
const ACTS: usize = 12;
const CONNECTIONS: usize = 3;

/// Somebody, and all that only the server knows of them.
struct Person {
    number: u8,
    token: String,
    handles: [String; 2],
    descriptions: [String; 2],
    device: Value,
    client: String,
    cell: Option<Value>,
}

impl Person {
    fn new(desk: &Desk, number: u8) -> Self {
        let handles = [format!("Owl {number}"), format!("Žaklina {number} 🦉")];
        Self {
            number,
            token: desk.register(number, &handles[0]),
            handles,
            descriptions: ["night shift".to_owned(), format!("🚚 Koper → Graz, truck {number}")],
            device: json!({
                "manufacturer": format!("Maker-{number}-Q"), "model": format!("Model-{number}-Q"),
                "platform": format!("Platform-{number}-Q"), "version": format!("Version-{number}-Q"),
            }),
            client: format!("Client-{number}-Q"),
            cell: PLACES[usize::from(number) - 1].map(|(lat, lon, _)| cell(lat, lon)),
        }
    }

    fn address(&self) -> Ipv4Addr {
        Ipv4Addr::new(127, 77, 0, self.number)
    }

    fn tag(&self) -> String {
        Key::new(self.number).user().tag().to_string()
    }

    /// What nobody else may read, in the forms that it has.
    fn secrets(&self, own: &[&str]) -> Vec<String> {
        let key = Key::new(self.number);
        let user = key.user().to_string();
        let mut secrets: Vec<_> = self.device.as_object().unwrap().values().map(text).collect();
        secrets.extend([self.client.clone(), self.address().to_string(), self.token.clone()]);
        // The identifier, but for the tag, and the key that it is made of.
        secrets.extend([user[4..12].to_owned(), user[2..8].to_owned()]);
        secrets.push(data_encoding::BASE64URL_NOPAD.encode(&key.public())[..10].to_owned());
        secrets.extend(self.cell.iter().map(text));
        secrets.extend(own.iter().map(|&secret| secret.to_owned()));
        secrets
    }

    /// One connection after another, each of them full of what one can do.
    async fn live(&self, desk: &Desk, together: &Barrier, mut rng: Rng) -> Vec<Read> {
        let (mut reads, mut resume) = (Vec::new(), None);
        for connection in 0..CONNECTIONS {
            let (tape, read) = Tape::connect(self.address(), desk.address()).await;
            reads.push(read);
            let mut hello = json!({ "client": self.client, "device": self.device });
            if let Some(token) = resume {
                hello["resume"] = json!({ "token": token });
            }
            let mut radio = Radio::over(tape, desk.url(), &self.token, hello).await;
            resume = Some(radio.welcome["resume"].clone());
            radio.tune("19").await;
            if let Some(cell) = self.cell.as_ref().filter(|_| connection != 1) {
                radio.send(json!({ "type": "locate", "cell": cell })).await;
                radio.expect("located").await;
            }
            together.wait().await;
            for burst in 1..=ACTS {
                self.act(&mut radio, desk, burst as u32, &mut rng).await;
            }
            radio.send(json!({ "type": "ping", "n": connection })).await;
            radio.expect("pong").await;
            // Presence is told after a moment: somebody changes for certain, and all others wait for it.
            if self.number == 1 {
                for handle in &self.handles {
                    let profile = json!({ "handle": handle });
                    assert_eq!(desk.ask("PATCH", "/api/v1/me", &self.token, &profile).status, 200);
                }
            } else {
                radio.expect("presence").await;
            }
            together.wait().await;
            if connection + 1 == CONNECTIONS {
                radio.leave().await;
            }
        }
        reads
    }

    async fn act(&self, radio: &mut Radio<Tape>, desk: &Desk, burst: u32, rng: &mut Rng) {
        match rng.u8(0..11) {
            0..=4 => {
                radio.press(burst).await;
                let frames = rng.u16(1..20);
                for seq in 0..frames {
                    radio.voice(frame(burst, seq, 80, seq + 1 == frames)).await;
                }
                radio.expect("receipt").await;
            }
            5 => radio.send(json!({ "type": "range", "tx": "100km", "rx": "unlimited" })).await,
            6 => {
                let participant = rng.u8(1..7);
                radio.send(json!({ "type": "mute", "participant": participant, "muted": false })).await;
            }
            7 => radio.send(json!({ "type": "participants", "channel": "19", "page": 0 })).await,
            8 => radio.send(json!({ "type": "tune", "channel": "convoy" })).await,
            9 => radio.send(json!({ "type": "chatter", "cell": self.cell, "device": self.device })).await,
            _ => {
                let (handle, description) = (rng.choice(&self.handles), rng.choice(&self.descriptions));
                let description = description.filter(|_| rng.bool());
                let profile = json!({ "handle": handle, "description": description });
                assert_eq!(desk.ask("PATCH", "/api/v1/me", &self.token, &profile).status, 200);
            }
        }
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// Whether a number stands in a text, and not as a piece of a longer one: `659498` has no 59498.
fn says(text: &str, number: &str) -> bool {
    let beside = |text: Option<char>| text.is_some_and(|letter| letter.is_ascii_digit());
    text.match_indices(number).any(|(at, _)| {
        !beside(text[..at].chars().next_back()) && !beside(text[at + number.len()..].chars().next())
    })
}

/// How far two people are apart, as anybody would write it.
fn distances(people: &[Person]) -> Vec<String> {
    let centres: Vec<LatLng> = people
        .iter()
        .filter_map(|person| person.cell.as_ref()?.as_str()?.parse::<CellIndex>().ok())
        .map(LatLng::from)
        .collect();
    let pairs = centres.iter().flat_map(|one| centres.iter().map(move |other| one.distance_km(*other)));
    pairs
        .filter(|&km| km > 1.0)
        .flat_map(|km| {
            [format!("{km:.1}"), format!("{km:.2}"), format!("{:.0}", km * 1000.0), format!("{km:.0} km")]
        })
        .collect()
}

/// What a listener was told, message by message.
#[derive(Default)]
struct Heard {
    messages: BTreeMap<String, usize>,
    voice: usize,
    people: usize,
    graded: usize,
}

impl Heard {
    fn take(&mut self, read: &[u8], told: &Told, people: &[Person], distances: &[String]) {
        for piece in pieces(read) {
            match piece {
                Piece::Text(text) => {
                    for distance in distances {
                        assert!(!says(text, distance), "{distance}: {text}");
                    }
                    self.message(&serde_json::from_str(text).unwrap(), told, people);
                }
                Piece::Voice(bytes) => {
                    let voice = VoiceFrame::parse(bytes).unwrap();
                    assert_eq!(
                        bytes,
                        frame(voice.burst.0, voice.seq, 80, voice.last),
                        "voice as it was sent"
                    );
                    self.voice += 1;
                }
                Piece::Close(reason) => assert_eq!(reason, ""),
                Piece::Ping(payload) => assert!(payload.is_empty()),
            }
        }
    }

    fn message(&mut self, message: &Value, told: &Told, people: &[Person]) {
        let parsed: ServerMessage = serde_json::from_value(message.clone()).unwrap();
        assert_eq!(&serde_json::to_value(parsed).unwrap(), message, "nothing that has no type");
        let kind = message["type"].as_str().unwrap();
        for field in fields_of(message) {
            assert!(told.messages[kind].contains(&field), "{field}: {message}");
        }
        for object in people_in(message) {
            assert_known(object, told, people);
            self.people += 1;
        }
        if let Some(grade) = message.get("grade") {
            assert!(grade.as_u64().unwrap() <= 5, "{message}");
            self.graded += 1;
        }
        *self.messages.entry(kind.to_owned()).or_default() += 1;
    }
}

/// What is told of a person is what that person says of itself, and its country.
fn assert_known(object: &Value, told: &Told, people: &[Person]) {
    for field in fields_of(object) {
        assert!(told.person.contains(&field), "{field}: {object}");
    }
    let person = people.iter().find(|person| object["tag"] == person.tag().as_str()).expect("somebody");
    assert!(person.handles.iter().any(|handle| object["handle"] == handle.as_str()), "{object}");
    if let Some(description) = object.get("description") {
        assert!(person.descriptions.iter().any(|said| description == said.as_str()), "{object}");
    }
    if let Some(country) = object.get("country") {
        let (_, _, seen) =
            PLACES[usize::from(person.number) - 1].expect("nobody has a country without a place");
        assert_eq!(country, seen);
    }
}

/// The values of `field` that somebody was told of itself.
fn own(reads: &[Read], field: &str) -> Vec<String> {
    let reads: Vec<_> = reads.iter().map(|read| read.borrow()).collect();
    let texts = reads.iter().flat_map(|read| pieces(read)).filter_map(|piece| match piece {
        Piece::Text(text) => serde_json::from_str::<Value>(text).ok(),
        _ => None,
    });
    texts.filter_map(|message| Some(message.get(field)?.as_str()?.to_owned())).collect()
}

#[tokio::test]
async fn others_are_told_handle_tag_description_country_and_grade_in_a_busy_session() {
    let desk = Desk::new();
    let people: Vec<_> = (1..=PLACES.len() as u8).map(|number| Person::new(&desk, number)).collect();
    let together = Barrier::new(people.len());
    let lives =
        people.iter().map(|person| person.live(&desk, &together, Rng::with_seed(person.number.into())));
    let reads = join_all(lives).await;

    let (told, distances, mut heard) = (Told::list(), distances(&people), Heard::default());
    for read in reads.iter().flatten() {
        heard.take(&read.borrow(), &told, &people, &distances);
    }
    let mut bytes = 0;
    for (person, of_person) in people.iter().zip(&reads) {
        let own: Vec<_> = ["resume", "stamp"].iter().flat_map(|field| own(of_person, field)).collect();
        let secrets = person.secrets(&own.iter().map(String::as_str).collect::<Vec<_>>());
        assert!(secrets.len() > 12);
        for (other, of_other) in people.iter().zip(&reads).filter(|(other, _)| other.number != person.number)
        {
            for read in of_other {
                let read = read.borrow();
                bytes += read.len();
                assert_free_of(&read, &secrets, other.number);
            }
        }
        let channels = request(desk.address(), "GET", "/api/v1/channels", &[], b"");
        assert_free_of(&channels.body, &secrets, 0);
    }
    // A session in which nothing happens tells nothing of anybody.
    println!(
        "{bytes} bytes searched: {} voice frames, {} people told, {:?}",
        heard.voice, heard.people, heard.messages
    );
    assert!(heard.voice > 1000 && heard.people > 300 && heard.graded > 100, "too little happened");
    for kind in ["presence", "burst.started", "participants", "error", "tuned", "located", "receipt"] {
        assert!(heard.messages[kind] > 3, "{kind}");
    }
}

fn assert_free_of(read: &[u8], secrets: &[String], reader: u8) {
    for secret in secrets {
        let found = read.windows(secret.len()).any(|window| window == secret.as_bytes());
        assert!(!found, "{reader} was told {secret} of somebody else");
    }
}
