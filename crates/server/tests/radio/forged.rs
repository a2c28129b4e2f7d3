//! Log-ins and registrations that are forged, altered or replayed: not one is taken.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use data_encoding::{BASE64, BASE64URL_NOPAD};
use fastrand::Rng;
use serde_json::{Value, json};
use tenfour_protocol::auth::signed_bytes;
use tenfour_protocol::http::{Login, Register};
use tenfour_protocol::{Code, Refusal, UserId};
use tenfour_server::auth::{Auth, Client, Opened, Origins};
use tenfour_server::store::{Sqlite, StoreHandle};

use crate::desk::{Desk, Key};

const IN_PROCESS: usize = 100_000;
const OVER_HTTP: usize = 3_000;
const ORIGIN: &str = "http://127.0.0.1:27185";
const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
/// People whose keys the thief does not have: half of them are registered.
const PEOPLE: usize = 64;
/// Log-ins of one owner that are kept to be sent again.
const KEPT: usize = 8;

/// What the thief does. It has a key of its own, knows the public keys of others, hears what
/// they send, and may ask for nonces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Forgery {
    SignedByAnother,
    OwnKeyForTheirIdentifier,
    RandomSignature,
    BitOfSignature,
    BitOfKey,
    KeyExchanged,
    SumOfOrder,
    KeyOfSmallOrder,
    OtherNonceSigned,
    NonceInvented,
    NonceExchanged,
    OtherExpirySigned,
    ExpiryExchanged,
    OtherOriginSigned,
    OtherContextSigned,
    Replayed,
    SpentNonceSigned,
    Misshapen,
}

use Forgery::*;

const ALL: [Forgery; 18] = [
    SignedByAnother,
    OwnKeyForTheirIdentifier,
    RandomSignature,
    BitOfSignature,
    BitOfKey,
    KeyExchanged,
    SumOfOrder,
    KeyOfSmallOrder,
    OtherNonceSigned,
    NonceInvented,
    NonceExchanged,
    OtherExpirySigned,
    ExpiryExchanged,
    OtherOriginSigned,
    OtherContextSigned,
    Replayed,
    SpentNonceSigned,
    Misshapen,
];

/// The eight points of small order, with which one signature fits every message.
const SMALL_ORDER: [&str; 8] = [
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
];

/// The order of the group, little-endian: added to the scalar of a signature it changes nothing but
/// the bytes.
const ORDER: &str = "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";

/// A nonce of the server: its bytes and its expiry.
type Nonce = ([u8; 32], u64);

struct Thief {
    random: Rng,
    key: Key,
    people: Vec<Key>,
    origin: String,
    /// Good log-ins that were sent already, by their owners.
    sent: Vec<Value>,
    spent: Vec<Nonce>,
}

/// Something that the server should refuse.
struct Attempt {
    proof: Value,
    /// A registration of somebody who is not known yet; otherwise a log-in.
    registers: bool,
}

impl Thief {
    fn new(seed: u64, origin: &str) -> Self {
        let mut random = Rng::with_seed(seed);
        let mut key = || Key::of_bytes(std::array::from_fn(|_| random.u8(..)));
        let (own, people) = (key(), (0..PEOPLE).map(|_| key()).collect());
        Self { random, key: own, people, origin: origin.into(), sent: Vec::new(), spent: Vec::new() }
    }

    fn registered(&self) -> &[Key] {
        &self.people[..PEOPLE / 2]
    }

    fn attempt(&mut self, forgery: Forgery, fresh: Nonce) -> Attempt {
        if forgery == Replayed {
            let proof = self.random.choice(&self.sent).expect("some were sent").clone();
            return Attempt { proof, registers: false };
        }
        let at = self.random.usize(..PEOPLE);
        // Who is of small order is nobody yet.
        let registers = at >= PEOPLE / 2 || forgery == KeyOfSmallOrder;
        Attempt { proof: self.forge(forgery, at, fresh), registers }
    }

    fn forge(&mut self, forgery: Forgery, victim: usize, (nonce, expiry): Nonce) -> Value {
        let random = &mut self.random;
        let (owner, thief, origin) = (&self.people[victim], &self.key, self.origin.as_str());
        let bytes = |origin: &str, nonce: &[u8; 32], expiry: u64, user: &UserId| {
            signed_bytes(origin, nonce, expiry, user)
        };
        let right = bytes(origin, &nonce, expiry, &owner.user());
        let good = || owner.sign(&right);
        let other: [u8; 32] = std::array::from_fn(|_| random.u8(..));
        match forgery {
            SignedByAnother => proof(owner.public(), nonce, expiry, thief.sign(&right)),
            OwnKeyForTheirIdentifier => proof(thief.public(), nonce, expiry, thief.sign(&right)),
            RandomSignature => proof(owner.public(), nonce, expiry, std::array::from_fn(|_| random.u8(..))),
            BitOfSignature => proof(owner.public(), nonce, expiry, with_bit(good(), random)),
            BitOfKey => proof(with_bit(owner.public(), random), nonce, expiry, good()),
            KeyExchanged => proof(thief.public(), nonce, expiry, good()),
            SumOfOrder => proof(owner.public(), nonce, expiry, plus_order(good())),
            KeyOfSmallOrder => {
                let mut signature = [0; 64];
                signature[..32].copy_from_slice(&hex(random.choice(SMALL_ORDER).expect("eight")));
                proof(hex(random.choice(SMALL_ORDER).expect("eight")), nonce, expiry, signature)
            }
            OtherNonceSigned => {
                let signature = owner.sign(&bytes(origin, &other, expiry, &owner.user()));
                proof(owner.public(), nonce, expiry, signature)
            }
            NonceInvented => {
                let signature = owner.sign(&bytes(origin, &other, expiry, &owner.user()));
                proof(owner.public(), other, expiry, signature)
            }
            NonceExchanged => proof(owner.public(), with_bit(nonce, random), expiry, good()),
            OtherExpirySigned => {
                let later = expiry + random.u64(1..100_000);
                let signature = owner.sign(&bytes(origin, &nonce, later, &owner.user()));
                proof(owner.public(), nonce, if random.bool() { later } else { expiry }, signature)
            }
            ExpiryExchanged => proof(owner.public(), nonce, expiry + random.u64(1..100_000), good()),
            OtherOriginSigned => {
                let elsewhere = ["https://evil.example", "http://127.0.0.1:27186", "", "null"];
                let elsewhere = random.choice(elsewhere).expect("four");
                proof(
                    owner.public(),
                    nonce,
                    expiry,
                    owner.sign(&bytes(elsewhere, &nonce, expiry, &owner.user())),
                )
            }
            OtherContextSigned => {
                let after = right.strip_prefix(b"tenfour-auth-v1").expect("the context");
                let context = random.choice([&b""[..], b"tenfour-auth-v2", b"tenfour"]).expect("three");
                proof(owner.public(), nonce, expiry, owner.sign(&[context, after].concat()))
            }
            SpentNonceSigned => {
                let (nonce, expiry) = *random.choice(&self.spent).expect("some are spent");
                let signature = owner.sign(&bytes(origin, &nonce, expiry, &owner.user()));
                proof(owner.public(), nonce, expiry, signature)
            }
            Misshapen => misshapen(proof(owner.public(), nonce, expiry, good()), random),
            Replayed => unreachable!("it is not made here"),
        }
    }
}

fn proof(key: [u8; 32], nonce: [u8; 32], expiry: u64, signature: [u8; 64]) -> Value {
    let text = |bytes: &[u8]| BASE64URL_NOPAD.encode(bytes);
    json!({
        "key": text(&key), "nonce": text(&nonce), "expiry": expiry, "signature": text(&signature),
        "session": "bearer",
    })
}

fn with_bit<const N: usize>(mut bytes: [u8; N], random: &mut Rng) -> [u8; N] {
    bytes[random.usize(..N)] ^= 1 << random.u8(..8);
    bytes
}

fn plus_order(mut signature: [u8; 64]) -> [u8; 64] {
    let mut carry = 0;
    for (byte, more) in signature[32..].iter_mut().zip(hex(ORDER)) {
        let sum = u16::from(*byte) + u16::from(more) + carry;
        *byte = sum.to_le_bytes()[0];
        carry = sum >> 8;
    }
    signature
}

/// A good proof, of which one text is written otherwise: what a reader that is not strict would take.
fn misshapen(mut good: Value, random: &mut Rng) -> Value {
    let field = random.choice(["key", "nonce", "signature"]).expect("three");
    let text = good[field].as_str().expect("text").to_owned();
    let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).expect("our own");
    let last = text.len() - 1;
    good[field] = match random.u8(..8) {
        0 => String::new(),
        1 => text[..last].into(),
        2 => format!("{text}A"),
        3 => format!("{text}="),
        4 => BASE64.encode(&bytes),
        5 => format!(" {text}"),
        6 => BASE64URL_NOPAD.encode(&[&bytes[..], &[0]].concat()),
        // The last letter has bits that belong to no byte.
        _ => format!("{}{}", &text[..last], char::from(text.as_bytes()[last] + 1)),
    }
    .into();
    good
}

fn hex(text: &str) -> [u8; 32] {
    data_encoding::HEXLOWER.decode(text.as_bytes()).expect("hexadecimal").try_into().expect("32 bytes")
}

/// What became of the attempts, by kind: how many, and how many of them were taken.
#[derive(Default)]
struct Score(BTreeMap<Forgery, (usize, usize)>);

impl Score {
    fn count(&mut self, forgery: Forgery, taken: bool) {
        let (tries, accepted) = self.0.entry(forgery).or_default();
        *tries += 1;
        *accepted += usize::from(taken);
    }

    fn print(&self, how: &str) {
        println!("{:>9} {:>9}  {how}", "tried", "accepted");
        for (forgery, (tries, accepted)) in &self.0 {
            println!("{tries:>9} {accepted:>9}  {forgery:?}");
        }
        let sum = |pick: fn(&(usize, usize)) -> usize| self.0.values().map(pick).sum::<usize>();
        println!("{:>9} {:>9}  all", sum(|it| it.0), sum(|it| it.1));
    }
}

/// The proof itself was refused: not only that the key is not known, or known already.
fn is_refused(refusal: &Refusal) -> bool {
    matches!(refusal.code, Code::BadSignature | Code::NonceExpired)
}

/// The real log-in over a real store, without sockets.
struct Door {
    auth: Auth,
    _folder: tempfile::TempDir,
}

impl Door {
    fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (store, _) =
            StoreHandle::start(Sqlite::open(&folder.path().join("tenfour.db")).unwrap()).unwrap();
        let origins = Origins::new("127.0.0.1:27185".parse().unwrap(), false, &["127.0.0.1".into()], &[]);
        Self { auth: Auth::new(origins, store, Vec::new()), _folder: folder }
    }

    fn nonce(&self) -> Nonce {
        let nonce = self.auth.nonce(LOOPBACK).unwrap();
        let bytes = BASE64URL_NOPAD.decode(nonce.nonce.as_bytes()).unwrap();
        (bytes.try_into().unwrap(), nonce.expiry)
    }

    async fn send(&self, Attempt { proof, registers }: Attempt, as_page: bool) -> Result<Opened, Refusal> {
        let client = if as_page { Client::Page(ORIGIN) } else { Client::Program("127.0.0.1:27185") };
        let proof = serde_json::from_value(proof).unwrap();
        if registers {
            let handle = "Roadrunner".to_owned();
            self.auth
                .register(Register { handle, description: None, work: None, proof }, client, LOOPBACK)
                .await
        } else {
            self.auth.login(Login { proof }, client, LOOPBACK).await
        }
    }

    /// What the owner of a key sends.
    async fn good(&self, key: &Key, registers: bool) -> (Value, Nonce) {
        let (nonce, expiry) = self.nonce();
        let signature = key.sign(&signed_bytes(ORIGIN, &nonce, expiry, &key.user()));
        let proof = proof(key.public(), nonce, expiry, signature);
        let opened = self.send(Attempt { proof: proof.clone(), registers }, true).await.unwrap();
        assert_eq!(opened.user.id, key.user());
        (proof, (nonce, expiry))
    }
}

#[tokio::test]
async fn of_100_000_forged_altered_or_replayed_log_ins_none_is_taken() {
    let (door, mut thief) = (Door::open(), Thief::new(10, ORIGIN));
    for owner in thief.registered() {
        door.good(owner, true).await;
    }
    let mut score = Score::default();
    for number in 0..IN_PROCESS {
        // Nonces live for 30 s: what is sent again is recent.
        if number % (IN_PROCESS / KEPT) == 0 {
            let (sent, spent): (Vec<_>, Vec<_>) = {
                let mut both = Vec::new();
                for owner in thief.registered() {
                    both.push(door.good(owner, false).await);
                }
                both.into_iter().unzip()
            };
            (thief.sent, thief.spent) = (sent, spent);
        }
        let forgery = ALL[number % ALL.len()];
        let attempt = thief.attempt(forgery, door.nonce());
        let sent = door.send(attempt, thief.random.bool()).await;
        let taken = !sent.as_ref().is_err_and(is_refused);
        assert!(!taken, "{forgery:?}, the {number}th: {sent:?}");
        score.count(forgery, taken);
    }
    score.print("log-ins and registrations, in process");
    assert_eq!(door.auth.sessions(), thief.registered().len() * (1 + KEPT), "only those of the owners");
    for owner in thief.registered() {
        let user = door.auth.user(owner.user()).await.unwrap();
        assert_eq!((user.key, user.handle.as_str()), (owner.public(), "Roadrunner"));
    }
}

#[test]
fn of_3_000_forged_log_ins_over_http_none_is_taken() {
    let desk = Desk::new();
    let mut thief = Thief::new(11, desk.url());
    let fresh = || {
        let nonce = desk.post("/api/v1/nonce", &[], &json!({})).json();
        let bytes = BASE64URL_NOPAD.decode(nonce["nonce"].as_str().unwrap().as_bytes()).unwrap();
        (<[u8; 32]>::try_from(bytes).unwrap(), nonce["expiry"].as_u64().unwrap())
    };
    for at in 0..PEOPLE / 2 {
        let owner = &thief.people[at];
        let (nonce, expiry) = fresh();
        let proof = proof(
            owner.public(),
            nonce,
            expiry,
            owner.sign(&signed_bytes(desk.url(), &nonce, expiry, &owner.user())),
        );
        let body = json!({ "handle": "Roadrunner", "proof": proof });
        assert_eq!(desk.post("/api/v1/register", &[], &body).status, 201);
        thief.sent.push(body["proof"].clone());
        thief.spent.push((nonce, expiry));
    }
    let mut score = Score::default();
    for number in 0..OVER_HTTP {
        let forgery = ALL[number % ALL.len()];
        let Attempt { proof, registers } = thief.attempt(forgery, fresh());
        let own_page = [("origin", desk.url())];
        let headers = if thief.random.bool() { &own_page[..] } else { &[] };
        let reply = if registers {
            desk.post("/api/v1/register", headers, &json!({ "handle": "Coyote", "proof": proof }))
        } else {
            desk.post("/api/v1/login", headers, &json!({ "proof": proof }))
        };
        let refused = ["bad_signature", "nonce_expired"].contains(&reply.code().as_str());
        let taken = reply.status != 401 || !refused || reply.header("set-cookie").is_some();
        assert!(!taken, "{forgery:?}, the {number}th: {}", reply.json());
        score.count(forgery, taken);
    }
    score.print("log-ins and registrations, over HTTP");
}
