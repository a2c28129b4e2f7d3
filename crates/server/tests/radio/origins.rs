//! A thousand origins that are nearly the server's own, or nobody's: none of them may log in, use a
//! cookie, or open the radio.

mod variants;

use std::collections::BTreeMap;
use std::io::{Read, Write};

use serde_json::{Value, json};
use tenfour_server::config::Settings;

use crate::desk::{Desk, Key};
use crate::door::UPGRADE;
use crate::http::{Reply, connect, request};
use variants::{Parts, variants};

const VARIANTS: usize = 1_000;
/// Variants that are tried with one nonce, which none of them may spend.
const AT_ONCE: usize = 50;
const ADDED: &str = "https://radio.example";

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
    for some in variants(&own, VARIANTS).chunks(AT_ONCE) {
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
