//! A nickname belongs to a key: whatever people and thieves do, and however often the server starts
//! again, nobody is let in or announced under a handle and tag whose key they do not hold.

use std::collections::BTreeSet;

use data_encoding::BASE64URL_NOPAD;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use crate::desk::{Desk, Key};
use crate::http::Reply;
use crate::radio::{Heard, Radio, frame};

const PROGRAMS: u32 = 32;
const PEOPLE: usize = 3;
/// Few, so that people want the same ones; the last looks like the first.
const HANDLES: [&str; 4] = ["Roadrunner", "Coyote", "Night Owl", "Rоadrunner"];

#[derive(Debug, Clone, Copy)]
enum Act {
    Register { who: usize, handle: usize },
    LogIn { who: usize },
    Rename { who: usize, session: usize, handle: usize },
    Talk { who: usize, session: usize },
    Forge { forgery: Forgery, thief: usize, victim: usize, handle: usize },
    Restart,
}

/// What a thief tries, who has a key of its own and saw what the victim sent.
#[derive(Debug, Clone, Copy)]
enum Forgery {
    /// Names the victim's key, and signs with its own.
    Signature,
    /// Names its own key, and signs for the victim's identifier.
    Identifier,
    /// A new nonce below what the victim signed for an earlier one.
    Nonce,
    /// What the victim sent, once more.
    Replay,
    /// What the victim signed for another server.
    Origin,
    /// What the victim has just signed, with the thief's key in it.
    Key,
}

fn act() -> impl Strategy<Value = Act> {
    let (who, handle, session) = (0..PEOPLE, 0..HANDLES.len(), 0..8usize);
    let forgery = prop_oneof![
        Just(Forgery::Signature),
        Just(Forgery::Identifier),
        Just(Forgery::Nonce),
        Just(Forgery::Replay),
        Just(Forgery::Origin),
        Just(Forgery::Key),
    ];
    prop_oneof![
        4 => (who.clone(), handle.clone()).prop_map(|(who, handle)| Act::Register { who, handle }),
        3 => who.clone().prop_map(|who| Act::LogIn { who }),
        3 => (who.clone(), session.clone(), handle.clone())
            .prop_map(|(who, session, handle)| Act::Rename { who, session, handle }),
        4 => (who.clone(), session).prop_map(|(who, session)| Act::Talk { who, session }),
        6 => (forgery, who.clone(), 1..PEOPLE, handle).prop_map(|(forgery, thief, other, handle)| {
            Act::Forge { forgery, thief, victim: (thief + other) % PEOPLE, handle }
        }),
        1 => Just(Act::Restart),
    ]
}

/// Somebody, as the test knows them.
struct Someone {
    key: Key,
    /// What the owner of the key has chosen, the last one last.
    chosen: Vec<&'static str>,
    tokens: Vec<String>,
    /// What the owner sent last.
    sent: Option<Value>,
}

struct World {
    desk: Desk,
    people: Vec<Someone>,
    /// Hears and sees everything on the channel.
    watcher: Radio,
    watcher_token: String,
}

impl World {
    async fn new(number: u32) -> Self {
        let desk = Desk::new();
        let watcher_token = desk.register(255, "Watcher");
        let watcher = Self::watch(&desk, &watcher_token).await;
        let someone = |at: usize| {
            let mut seed = [7; 32];
            seed[..4].copy_from_slice(&number.to_be_bytes());
            seed[4] = u8::try_from(at).unwrap();
            Someone { key: Key::of_bytes(seed), chosen: Vec::new(), tokens: Vec::new(), sent: None }
        };
        Self { desk, people: (0..PEOPLE).map(someone).collect(), watcher, watcher_token }
    }

    async fn watch(desk: &Desk, token: &str) -> Radio {
        let mut watcher = Radio::open(desk, token).await;
        watcher.tune("19").await;
        watcher
    }

    async fn carry_out(mut self, act: Act) -> Self {
        match act {
            Act::Register { who, handle } => self.register(who, HANDLES[handle]),
            Act::LogIn { who } => self.log_in(who),
            Act::Rename { who, session, handle } => self.rename(who, session, HANDLES[handle]),
            Act::Talk { who, session } => self.talk(who, session).await,
            Act::Forge { forgery, thief, victim, handle } => {
                self.forge(forgery, thief, victim, HANDLES[handle]);
            }
            Act::Restart => return self.restart().await,
        }
        self
    }

    fn register(&mut self, who: usize, handle: &'static str) {
        let proof = self.desk.prove(&self.people[who].key, self.desk.url(), "bearer");
        let body = json!({ "handle": handle, "proof": proof });
        let reply = self.desk.post("/api/v1/register", &[], &body);
        let someone = &mut self.people[who];
        someone.sent = Some(proof);
        if someone.chosen.is_empty() {
            someone.chosen.push(handle);
            self.is_let_in(who, 201, &reply);
        } else {
            assert_eq!(reply.code(), "already_registered");
        }
    }

    fn log_in(&mut self, who: usize) {
        let proof = self.desk.prove(&self.people[who].key, self.desk.url(), "bearer");
        let reply = self.desk.post("/api/v1/login", &[], &json!({ "proof": proof }));
        self.people[who].sent = Some(proof);
        if self.people[who].chosen.is_empty() {
            assert_eq!(reply.code(), "not_registered");
        } else {
            self.is_let_in(who, 200, &reply);
        }
    }

    /// A session for the key that signed, under the handle that its owner has chosen.
    fn is_let_in(&mut self, who: usize, status: u16, reply: &Reply) {
        assert_eq!(reply.status, status, "{}", reply.json());
        let me = reply.json();
        self.people[who].is(&me);
        self.people[who].tokens.push(me["token"].as_str().unwrap().to_owned());
    }

    fn rename(&mut self, who: usize, session: usize, handle: &'static str) {
        let Some(token) = self.people[who].token(session) else { return };
        let reply = self.desk.ask("PATCH", "/api/v1/me", &token, &json!({ "handle": handle }));
        assert_eq!(reply.status, 200, "{}", reply.json());
        self.people[who].chosen.push(handle);
        self.people[who].is(&reply.json());
    }

    async fn talk(&mut self, who: usize, session: usize) {
        let Some(token) = self.people[who].token(session) else { return };
        let mut radio = Radio::open(&self.desk, &token).await;
        self.people[who].is(&radio.welcome["you"]);
        radio.tune("19").await;
        radio.press(1).await;
        radio.voice(frame(1, 0, 80, true)).await;
        let started = loop {
            match self.watcher.hear().await {
                Heard::Message(message) => {
                    self.announces_owners_only(&message);
                    if message["type"] == "burst.started" {
                        break message;
                    }
                }
                Heard::Voice(_) => {}
                Heard::Closed(code, reason) => panic!("closed with {code} {reason}"),
            }
        };
        self.people[who].is(&started["talker"]);
        radio.leave().await;
    }

    /// Whoever is named to others is somebody who has chosen that name, with the tag of their own key.
    fn announces_owners_only(&self, message: &Value) {
        match message {
            Value::Object(fields) if fields.contains_key("handle") => {
                let (handle, tag) = (&fields["handle"], &fields["tag"]);
                let watcher = Key::new(255).user().tag();
                let owners = self.people.iter().filter(|someone| *tag == json!(someone.key.user().tag()));
                let chosen: BTreeSet<&str> = owners.flat_map(|owner| owner.chosen.iter().copied()).collect();
                let known = handle.as_str().is_some_and(|handle| chosen.contains(handle));
                assert!(known || (*tag == json!(watcher) && handle == "Watcher"), "{message}: {chosen:?}");
            }
            Value::Object(fields) => fields.values().for_each(|value| self.announces_owners_only(value)),
            Value::Array(values) => values.iter().for_each(|value| self.announces_owners_only(value)),
            _ => {}
        }
    }

    /// Both ways in are tried with the forged proof.
    fn forge(&mut self, forgery: Forgery, thief: usize, victim: usize, handle: &str) {
        for path in ["/api/v1/login", "/api/v1/register"] {
            let Some(proof) = self.forged(forgery, thief, victim) else { return };
            let mut body = json!({ "proof": proof });
            if path.ends_with("register") {
                body["handle"] = handle.into();
            }
            let reply = self.desk.post(path, &[], &body);
            let code = reply.code();
            assert!(
                ["bad_signature", "nonce_expired"].contains(&code.as_str()),
                "{forgery:?}: {}",
                reply.json()
            );
        }
    }

    fn forged(&self, forgery: Forgery, thief: usize, victim: usize) -> Option<Value> {
        let (thief, victim) = (&self.people[thief], &self.people[victim]);
        let (desk, url) = (&self.desk, self.desk.url());
        let fresh = || desk.post("/api/v1/nonce", &[], &json!({})).json();
        Some(match forgery {
            Forgery::Signature => {
                let mut proof = desk.prove(&thief.key, url, "bearer");
                proof["key"] = json!(BASE64URL_NOPAD.encode(&victim.key.public()));
                proof
            }
            Forgery::Identifier => {
                let nonce = fresh();
                let bytes = BASE64URL_NOPAD.decode(nonce["nonce"].as_str().unwrap().as_bytes()).unwrap();
                let signed = tenfour_protocol::auth::signed_bytes(
                    url,
                    &bytes.try_into().unwrap(),
                    nonce["expiry"].as_u64().unwrap(),
                    &victim.key.user(),
                );
                let mut proof = thief.key.prove(&nonce, url, "bearer");
                proof["signature"] = json!(BASE64URL_NOPAD.encode(&thief.key.sign(&signed)));
                proof
            }
            Forgery::Nonce => {
                let mut proof = victim.sent.clone()?;
                let nonce = fresh();
                (proof["nonce"], proof["expiry"]) = (nonce["nonce"].clone(), nonce["expiry"].clone());
                proof
            }
            Forgery::Replay => victim.sent.clone()?,
            Forgery::Origin => desk.prove(&victim.key, "https://evil.example", "bearer"),
            Forgery::Key => {
                let mut proof = desk.prove(&victim.key, url, "bearer");
                proof["key"] = json!(BASE64URL_NOPAD.encode(&thief.key.public()));
                proof
            }
        })
    }

    async fn restart(mut self) -> Self {
        self.watcher.leave().await;
        self.desk.stop();
        self.desk.start();
        self.watcher = Self::watch(&self.desk, &self.watcher_token).await;
        self
    }

    /// Every session is that of the key that began it, under the handle that its owner has chosen.
    fn check_sessions(&self) {
        for someone in &self.people {
            for token in &someone.tokens {
                someone.is(&self.desk.ask("GET", "/api/v1/me", token, &Value::Null).json());
            }
        }
    }
}

impl Someone {
    fn token(&self, session: usize) -> Option<String> {
        (!self.tokens.is_empty()).then(|| self.tokens[session % self.tokens.len()].clone())
    }

    /// What is told of somebody is this person, as it is now.
    fn is(&self, told: &Value) {
        let (user, handle) = (self.key.user(), self.chosen.last().expect("is registered"));
        assert_eq!((&told["handle"], &told["tag"]), (&json!(handle), &json!(user.tag())), "{told}");
        // Others are not told the whole identifier.
        assert!(told.get("user").is_none_or(|told| *told == json!(user)), "{told}");
    }
}

#[test]
fn whatever_is_tried_nobody_gets_or_speaks_under_a_nickname_without_its_key() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let number = std::cell::Cell::new(0);
    let programs = proptest::collection::vec(act(), 4..24);
    let config = Config { cases: PROGRAMS, max_shrink_iters: 4, ..Config::default() };
    let run = TestRunner::new(config).run(&programs, |acts| {
        number.set(number.get() + 1);
        runtime.block_on(async {
            let mut world = World::new(number.get()).await;
            for act in acts {
                world = world.carry_out(act).await;
                world.check_sessions();
            }
            world.watcher.leave().await;
        });
        Ok(())
    });
    run.unwrap();
}
