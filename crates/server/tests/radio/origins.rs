//! A thousand origins that are nearly the server's own, or nobody's: none of them may log in, use a
//! cookie, or open the radio.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};

use fastrand::Rng;
use serde_json::{Value, json};
use tenfour_server::config::Settings;

use crate::desk::{Desk, Key};
use crate::door::UPGRADE;
use crate::http::{Reply, connect, request};

const VARIANTS: usize = 1_000;
/// Variants that are tried with one nonce, which none of them may spend.
const TOGETHER: usize = 50;
const ADDED: &str = "https://radio.example";

/// An origin in pieces.
#[derive(Clone)]
struct Parts {
    scheme: &'static str,
    host: String,
    /// With its colon, or empty.
    port: String,
}

impl Parts {
    fn text(&self) -> String {
        format!("{}://{}{}", self.scheme, self.host, self.port)
    }
}

/// How a variant is made of an own origin: the values of its `Origin` headers.
type Make = fn(&Parts, &mut Rng) -> Vec<String>;

const KINDS: [(&str, Make); 16] = [
    ("scheme", scheme),
    ("case", case),
    ("port", port),
    ("suffix", suffix),
    ("prefix", prefix),
    ("trailing dot", |own, random| one(own, |own| own.host += &".".repeat(random.usize(1..9)))),
    ("userinfo", userinfo),
    ("path", path),
    ("whitespace", whitespace),
    ("percent", percent),
    ("IDN", look_alike),
    ("invisible", invisible),
    ("IPv4 forms", ipv4),
    ("IPv6 forms", ipv6),
    ("nobody", nobody),
    ("two origins", two),
];

fn one(own: &Parts, change: impl FnOnce(&mut Parts)) -> Vec<String> {
    let mut other = own.clone();
    change(&mut other);
    vec![other.text()]
}

fn pick<'a>(random: &mut Rng, from: &[&'a str]) -> &'a str {
    random.choice(from).expect("there is one")
}

fn label(random: &mut Rng) -> String {
    (0..random.usize(3..9)).map(|_| random.lowercase()).collect()
}

fn scheme(own: &Parts, random: &mut Rng) -> Vec<String> {
    let rest = format!("{}{}", own.host, own.port);
    let other = if own.scheme == "http" { "https" } else { "http" };
    let schemes = ["ws", "wss", "ftp", "file", "tenfour", "chrome-extension", "moz-extension", "blob:http"];
    vec![match random.u8(..6) {
        0 => format!("{other}://{rest}"),
        1 => format!("{}://{rest}", pick(random, &schemes)),
        2 => {
            format!("{}{}{rest}", own.scheme, pick(random, &[":", ":/", ":///", "//", "", ":\\\\", "://://"]))
        }
        3 => format!("{}{rest}", pick(random, &["", "//", "://", ":"])),
        4 => format!("{}{}://{rest}", own.scheme, label(random)),
        _ => format!("{}:{}", pick(random, &["data", "about", "javascript", "blob", "urn"]), own.text()),
    }]
}

fn case(own: &Parts, random: &mut Rng) -> Vec<String> {
    vec![own.text().chars().map(|c| if random.bool() { c.to_ascii_uppercase() } else { c }).collect()]
}

fn port(own: &Parts, random: &mut Rng) -> Vec<String> {
    let number = own.port.trim_start_matches(':').to_owned();
    one(own, |own| {
        own.port = match random.u8(..7) {
            0 => format!(":{}", random.u16(..)),
            1 => format!(":{}{number}", "0".repeat(random.usize(1..5))),
            2 => format!(":{number}{}", random.u8(..10)),
            3 => format!("{}:", own.port),
            4 => format!("{}:{}", own.port, random.u16(..)),
            5 => format!(":{}", pick(random, &["", "80", "443", "http", "-1", "+80", "0x50", "99999"])),
            _ => String::new(),
        };
    })
}

fn suffix(own: &Parts, random: &mut Rng) -> Vec<String> {
    let word = label(random);
    one(own, |own| {
        own.host += &match random.u8(..4) {
            0 => format!(".{word}.example"),
            1 => word,
            2 => format!("-{word}.example"),
            _ => format!(".{word}"),
        }
    })
}

fn prefix(own: &Parts, random: &mut Rng) -> Vec<String> {
    let word = label(random);
    one(own, |own| {
        own.host = match random.u8(..4) {
            0 => format!("{word}.{}", own.host),
            1 => format!("{word}{}", own.host),
            2 => format!("{word}-{}", own.host),
            _ => format!(".{}", own.host),
        }
    })
}

fn userinfo(own: &Parts, random: &mut Rng) -> Vec<String> {
    let word = label(random);
    vec![match random.u8(..4) {
        0 => format!("{}://{word}@{}{}", own.scheme, own.host, own.port),
        1 => format!("{}://{word}:{word}@{}{}", own.scheme, own.host, own.port),
        2 => format!("{}@{word}.example", own.text()),
        _ => format!("{}://@{}{}", own.scheme, own.host, own.port),
    }]
}

fn path(own: &Parts, random: &mut Rng) -> Vec<String> {
    let word = label(random);
    let after =
        pick(random, &["/", "/.", "//", "?", "#", "/?", "\\", ";", "/..;/", "&", "/c/19#", "?x=", "%2f"]);
    vec![format!("{}{after}{}", own.text(), if random.bool() { word } else { String::new() })]
}

fn whitespace(own: &Parts, random: &mut Rng) -> Vec<String> {
    // Spaces and tabs around a value belong to the header, not to the origin.
    let spaces = [" ", "\t", "\u{A0}", "\u{3000}", "\u{2003}", "\u{85}", "\u{B}", "\u{C}"];
    insert(own, pick(random, &spaces), random)
}

fn percent(own: &Parts, random: &mut Rng) -> Vec<String> {
    let text = own.text();
    let at = random.usize(..text.len());
    let code = format!("%{:02x}", text.as_bytes()[at]);
    vec![match random.u8(..3) {
        0 => format!("{}{code}{}", &text[..at], &text[at + 1..]),
        1 => format!("{}%25{}{}", &text[..at], &code[1..], &text[at + 1..]),
        _ => format!("{}{}", text, pick(random, &["%00", "%20", "%0d%0a", "%09", "%2e", "%e3%80%82"])),
    }]
}

fn look_alike(own: &Parts, random: &mut Rng) -> Vec<String> {
    let alike = |c: char| match c {
        'a' => 'а',
        'e' => 'е',
        'o' => 'о',
        'p' => 'р',
        'x' => 'х',
        'i' => 'і',
        'l' => 'ⅼ',
        '.' => '。',
        '0'..='9' => char::from_u32('０' as u32 + c as u32 - '0' as u32).expect("a digit"),
        ':' => '：',
        '/' => '⁄',
        other => other,
    };
    let text = own.text();
    if random.u8(..4) == 0 {
        return one(own, |own| own.host = format!("xn--{}-{}", own.host, label(random)));
    }
    vec![text.chars().map(|c| if random.bool() { alike(c) } else { c }).collect()]
}

fn invisible(own: &Parts, random: &mut Rng) -> Vec<String> {
    let hidden = ["\u{200B}", "\u{200D}", "\u{FEFF}", "\u{AD}", "\u{202E}", "\u{2060}", "\u{301}", "\0"];
    insert(own, pick(random, &hidden), random)
}

fn insert(own: &Parts, what: &str, random: &mut Rng) -> Vec<String> {
    let mut text = own.text();
    text.insert_str(random.usize(..=text.len()), what);
    vec![text]
}

fn ipv4(own: &Parts, random: &mut Rng) -> Vec<String> {
    let forms = [
        "0x7f.0.0.1",
        "0177.0.0.1",
        "2130706433",
        "0x7f000001",
        "017700000001",
        "127.1",
        "127.0.1",
        "127.000.000.001",
        "0.0.0.0",
        "127.0.0.1.",
        "127.0.0.01",
        "127.0.0.0x1",
        "127.0.0.1.nip.example",
    ];
    let host = match random.u8(..3) {
        0 => format!("127.{}.{}.{}", random.u8(..), random.u8(..), random.u8(2..)),
        1 => format!("{}.{}.{}.{}", random.u8(..), random.u8(..), random.u8(..), random.u8(..)),
        _ => pick(random, &forms).to_owned(),
    };
    one(own, |own| own.host = host)
}

fn ipv6(own: &Parts, random: &mut Rng) -> Vec<String> {
    let forms = [
        "[0:0:0:0:0:0:0:1]",
        "[::0001]",
        "[0::1]",
        "::1",
        "[::1%25lo]",
        "[::1%lo]",
        "[::ffff:127.0.0.1]",
        "[::127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::]",
        "[0000:0000:0000:0000:0000:0000:0000:0001]",
        "[::1",
        "::1]",
        "[[::1]]",
        "[ ::1 ]",
        "[::0:1]",
    ];
    let host = match random.bool() {
        true => format!("[::{:x}]", random.u16(2..)),
        false => pick(random, &forms).to_owned(),
    };
    one(own, |own| own.host = host)
}

fn nobody(own: &Parts, random: &mut Rng) -> Vec<String> {
    let words = [
        "null",
        "NULL",
        "Null",
        "",
        "undefined",
        "none",
        "*",
        "?",
        "self",
        "'self'",
        "true",
        "0",
        "about:blank",
        "about:srcdoc",
        "file://",
        "data:text/html,x",
        "http://",
        "https://",
        "://",
        ".",
        "\"\"",
        "[]",
        "{}",
    ];
    vec![match random.u8(..4) {
        0 => format!("https://{}.example", label(random)),
        1 => format!("{}://{}", own.scheme, label(random)),
        2 => label(random),
        _ => pick(random, &words).to_owned(),
    }]
}

fn two(own: &Parts, random: &mut Rng) -> Vec<String> {
    let (own, other) = (own.text(), format!("https://{}.example", label(random)));
    match random.u8(..8) {
        0 => vec![own, other],
        1 => vec![other, own],
        2 => vec![own.clone(), own],
        3 => vec![own, "null".into()],
        4 => vec![format!("{own}, {other}")],
        5 => vec![format!("{other} {own}")],
        6 => vec![format!("{own},{own}")],
        _ => vec![format!("{own} {other}")],
    }
}

/// Distinct, and none of them an own origin when the spaces around it are taken off.
fn variants(own: &[Parts]) -> Vec<(&'static str, Vec<String>)> {
    let mut random = Rng::with_seed(3);
    let texts: Vec<String> = own.iter().map(Parts::text).collect();
    let mut seen = BTreeSet::new();
    let mut variants = Vec::new();
    for (name, make) in KINDS.iter().cycle() {
        if variants.len() == VARIANTS {
            return variants;
        }
        let base = random.choice(own).expect("some are own");
        let origins = make(base, &mut random);
        let is_own = |origin: &String| texts.iter().any(|own| own == origin.trim_matches([' ', '\t']));
        let fresh = origins.len() > 1 || !origins.iter().all(is_own);
        if fresh && seen.insert(origins.clone()) {
            variants.push((*name, origins));
        }
    }
    unreachable!("a cycle has no end")
}

struct Doors<'a> {
    desk: &'a Desk,
    cookie: &'a str,
}

impl Doors<'_> {
    fn ask(
        &self,
        method: &str,
        path: &str,
        origins: &[String],
        more: &[(&str, &str)],
        body: &Value,
    ) -> Reply {
        let origins = origins.iter().map(|origin| ("origin", origin.as_str()));
        let headers: Vec<_> = origins.chain(more.iter().copied()).collect();
        let body = if body.is_null() { String::new() } else { body.to_string() };
        request(self.desk.address(), method, path, &headers, body.as_bytes())
    }

    fn log_in(&self, origins: &[String], proof: &Value) -> bool {
        let reply = self.ask("POST", "/api/v1/login", origins, &[], &json!({ "proof": proof }));
        reply.status < 400 || reply.header("set-cookie").is_some()
    }

    fn cookie(&self, origins: &[String]) -> bool {
        let reply = self.ask("GET", "/api/v1/me", origins, &[("cookie", self.cookie)], &Value::Null);
        reply.status < 400 || String::from_utf8_lossy(&reply.body).contains("Roadrunner")
    }

    fn nonce(&self, origins: &[String]) -> bool {
        self.ask("POST", "/api/v1/nonce", origins, &[], &Value::Null).status < 400
    }

    /// Only the first line is read: who comes in is not let go at once.
    fn radio(&self, origins: &[String]) -> bool {
        let mut text = format!(
            "GET /api/v1/radio HTTP/1.1\r\nhost: {}\r\ncookie: {}\r\n",
            self.desk.address(),
            self.cookie
        );
        for (name, value) in UPGRADE {
            text += &format!("{name}: {value}\r\n");
        }
        for origin in origins {
            text += &format!("origin: {origin}\r\n");
        }
        let mut socket = connect(self.desk.address());
        socket.write_all((text + "\r\n").as_bytes()).unwrap();
        let mut line = [0; 12];
        socket.read_exact(&mut line).unwrap();
        let status = std::str::from_utf8(&line[9..]).unwrap().parse::<u16>().unwrap();
        status < 400
    }

    /// A program that was sent to another host, and signed for it.
    fn host(&self, origin: &str, key: &Key) -> bool {
        let host = origin.split_once("://").map_or(origin, |(_, host)| host);
        let proof = self.desk.prove(key, origin, "bearer");
        let reply = self.ask("POST", "/api/v1/login", &[], &[("host", host)], &json!({ "proof": proof }));
        reply.status < 400
    }
}

#[test]
fn of_1_000_origins_that_are_not_the_servers_none_may_do_anything() {
    let desk = Desk::with(Settings { origins: Some(vec![ADDED.into()]), ..Settings::default() });
    let port = format!(":{}", desk.address().port());
    let local = ["127.0.0.1", "localhost", "[::1]"];
    let mut own = local.map(|host| Parts { scheme: "http", host: host.into(), port: port.clone() }).to_vec();
    own.push(Parts { scheme: "https", host: "radio.example".into(), port: String::new() });

    let key = Key::new(1);
    let body = json!({ "handle": "Roadrunner", "proof": desk.prove(&key, ADDED, "cookie") });
    let registered = desk.post("/api/v1/register", &[("origin", ADDED)], &body);
    assert_eq!(registered.status, 201);
    let cookie = registered.header("set-cookie").unwrap().split_once(';').unwrap().0.to_owned();
    let doors = Doors { desk: &desk, cookie: &cookie };
    for own in own.iter().map(Parts::text) {
        let it = std::slice::from_ref(&own);
        let may = [
            doors.log_in(it, &desk.prove(&key, &own, "cookie")),
            doors.cookie(it),
            doors.nonce(it),
            doors.radio(it),
        ];
        assert_eq!(may, [true; 4], "{own} is the server's own");
    }

    let mut counts = BTreeMap::<_, usize>::new();
    for some in variants(&own).chunks(TOGETHER) {
        let nonce = desk.post("/api/v1/nonce", &[], &json!({})).json();
        let good = key.prove(&nonce, ADDED, "cookie");
        for (kind, origins) in some {
            let phished = key.prove(&nonce, &origins[0], "cookie");
            assert!(!doors.log_in(origins, &good), "{kind}: {origins:?} logs in");
            assert!(
                !doors.log_in(origins, &phished),
                "{kind}: {origins:?} logs in with what was signed for it"
            );
            assert!(!doors.cookie(origins), "{kind}: {origins:?} uses the cookie");
            assert!(!doors.nonce(origins), "{kind}: {origins:?} gets a nonce");
            assert!(!doors.radio(origins), "{kind}: {origins:?} opens the radio");
            assert!(origins.len() > 1 || !doors.host(&origins[0], &key), "{kind}: {origins:?} as a host");
            *counts.entry(*kind).or_default() += 1;
        }
        assert!(doors.log_in(&[ADDED.to_owned()], &good), "the same from an own page is taken");
    }
    println!(
        "{:>9} {:>9}  origins by kind, at log-in, cookie, nonce, radio and as host",
        "tried", "accepted"
    );
    for (kind, tries) in &counts {
        println!("{tries:>9} {:>9}  {kind}", 0);
    }
    assert_eq!(counts.values().sum::<usize>(), VARIANTS);
}
