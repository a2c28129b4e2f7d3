//! When a frame leaves does not tell who hears it.

use std::time::Duration;

use proptest::prelude::*;
use tenfour_core::hub::{HubConfig, StartAt};
use tenfour_core::voice::{ByGrade, Deck, Turn};
use tenfour_core::{ConnId, Time};
use tenfour_protocol::limits::{TURN, TURNS};
use tenfour_protocol::{BurstNo, ClientMessage, ParticipantNo, Range, Ranges, ServerMessage};

use crate::deck::{HOLD, T, hears, packet};
use crate::world::{FAR, Given, Got, HERE, NEAR, OPUS_20_MS, World, back, channel, ms, place, start};

const NAMES: [&str; 4] = ["Anna", "Bert", "Cleo", "Dora"];
const CHANNELS: [&str; 2] = ["19", "road"];
/// Who is looked for: one more, who never talks.
const VERA: usize = NAMES.len();

#[derive(Debug, Clone)]
enum Act {
    Tune(usize, usize, bool),
    Untune(usize, usize),
    /// Somebody talks, unless somebody does.
    Press(usize, usize),
    Speak,
    Release,
    /// Of those who are not looked for.
    Mute(usize, usize, bool),
    Range(usize, bool),
    Drop(usize),
    Come(usize),
}

fn act() -> impl Strategy<Value = Act> {
    let who = || 0..NAMES.len();
    let anybody = || 0..=NAMES.len();
    let on = || 0..CHANNELS.len();
    prop_oneof![
        2 => (anybody(), on(), any::<bool>()).prop_map(|(who, on, old)| Act::Tune(who, on, old)),
        1 => (anybody(), on()).prop_map(|(who, on)| Act::Untune(who, on)),
        6 => (who(), on()).prop_map(|(who, on)| Act::Press(who, on)),
        10 => Just(Act::Speak),
        1 => Just(Act::Release),
        1 => (who(), who(), any::<bool>()).prop_map(|(who, other, muted)| Act::Mute(who, other, muted)),
        1 => (who(), any::<bool>()).prop_map(|(who, far)| Act::Range(who, far)),
        1 => anybody().prop_map(Act::Drop),
        2 => anybody().prop_map(Act::Come),
    ]
}

/// What nobody may find out: where in her country Vera is, how far she hears, and whom she mutes.
#[derive(Debug, Clone)]
struct Secret {
    place: (f64, f64),
    rx: Range,
    mutes: Vec<bool>,
}

fn secret() -> impl Strategy<Value = Secret> {
    let place = prop_oneof![Just(HERE), Just(NEAR), Just(FAR)];
    let rx = prop_oneof![Just(Range::Km25), Just(Range::Unlimited)];
    (place, rx, prop::collection::vec(prop::bool::weighted(0.2), NAMES.len()))
        .prop_map(|(place, rx, mutes)| Secret { place, rx, mutes })
}

struct Person {
    conn: Option<ConnId>,
    token: Option<String>,
    number: u32,
    presses: u32,
}

struct Story<'a> {
    world: World,
    secret: &'a Secret,
    economy: bool,
    people: Vec<Person>,
    talks: Option<(usize, u16)>,
    /// What others than Vera got, and when they were looked at.
    seen: Vec<(Time, usize, Got)>,
    /// Frames that Vera got.
    heard: usize,
}

impl<'a> Story<'a> {
    fn new(secret: &'a Secret, economy: bool) -> Self {
        let config = HubConfig { hold: ms(2_000), ..HubConfig::default() };
        let people = (0..=VERA).map(|_| Person { conn: None, token: None, number: 0, presses: 0 });
        let people = people.collect();
        let world = World::with(config);
        let mut story = Self { world, secret, economy, people, talks: None, seen: Vec::new(), heard: 0 };
        for who in 0..=VERA {
            story.come(who);
            story.say(who, ClientMessage::Tune { channel: channel("19"), catch_up: false });
        }
        for (other, &muted) in secret.mutes.iter().enumerate() {
            let participant = ParticipantNo(story.people[other].number);
            story.say(VERA, ClientMessage::Mute { participant, muted });
        }
        story
    }

    fn act(&mut self, act: &Act) {
        match *act {
            Act::Tune(who, on, catch_up) => {
                self.say(who, ClientMessage::Tune { channel: channel(CHANNELS[on]), catch_up });
            }
            Act::Untune(who, on) => self.say(who, ClientMessage::Untune { channel: channel(CHANNELS[on]) }),
            Act::Press(who, on) if self.talks.is_none() && self.people[who].conn.is_some() => {
                self.people[who].presses += 1;
                self.talks = Some((who, 0));
                self.say(who, start(CHANNELS[on], self.people[who].presses));
            }
            Act::Press(..) | Act::Speak => self.speak(),
            Act::Release => self.release(),
            Act::Mute(who, other, muted) => {
                let participant = ParticipantNo(self.people[other].number);
                self.say(who, ClientMessage::Mute { participant, muted });
            }
            Act::Range(who, far) => {
                let rx = if far { Range::Unlimited } else { Range::Km25 };
                self.say(who, ClientMessage::Range { tx: Range::Unlimited, rx });
            }
            Act::Drop(who) => {
                if self.talks.is_some_and(|(talker, _)| talker == who) {
                    self.release();
                }
                if let Some(conn) = self.people[who].conn.take() {
                    self.world.drop_link(conn);
                    self.people[who].presses = 0;
                }
            }
            Act::Come(who) if self.people[who].conn.is_none() => self.come(who),
            Act::Come(_) => {}
        }
        self.breathe();
    }

    fn say(&mut self, who: usize, message: ClientMessage) {
        // Budgets of messages are another test's.
        self.world.run(ms(200));
        if let Some(conn) = self.people[who].conn {
            self.world.send(conn, message);
        }
        self.breathe();
    }

    fn speak(&mut self) {
        if let Some((talker, seq)) = &mut self.talks
            && let Some(conn) = self.people[*talker].conn
        {
            self.world.speak(conn, self.people[*talker].presses, *seq);
            *seq += 1;
        }
    }

    /// Until the burst is held no more: who comes back while two are held has both with one turn.
    fn release(&mut self) {
        if let Some((talker, _)) = self.talks.take()
            && let Some(conn) = self.people[talker].conn
        {
            self.world.release(conn, self.people[talker].presses);
            self.world.run(ms(4_000));
        }
    }

    fn come(&mut self, who: usize) {
        let conn = self.world.connect(if who == VERA { "Vera" } else { NAMES[who] });
        self.people[who].conn = Some(conn);
        let token = self.people[who].token.take();
        let is_vera = who == VERA;
        let (at, rx) = if is_vera { (self.secret.place, self.secret.rx) } else { (HERE, Range::Unlimited) };
        let range = Ranges { tx: Range::Unlimited, rx };
        let mut hello = back(token, vec![], Some(place(at, None)), Some(range));
        if let ClientMessage::Hello { economy, .. } = &mut hello {
            *economy = self.economy && is_vera;
        }
        self.world.send(conn, hello);
        self.breathe();
    }

    /// Everybody looks at what they got.
    fn breathe(&mut self) {
        self.world.run(ms(20));
        for (who, person) in self.people.iter_mut().enumerate() {
            let Some(conn) = person.conn else { continue };
            for got in self.world.take(conn) {
                if let Got::Control(ServerMessage::Welcome { resume, you, .. }) = &got {
                    person.token = Some(resume.clone());
                    person.number = you.id.0;
                }
                if who == VERA {
                    self.heard += usize::from(matches!(got, Got::Voice { .. }));
                } else {
                    self.seen.push((self.world.now, who, got));
                }
            }
            if self.world.closed.contains_key(&conn) {
                person.conn = None;
            }
        }
    }
}

fn told(secret: &Secret, economy: bool, acts: &[Act]) -> (Vec<Given>, Vec<(Time, usize, Got)>, usize) {
    let mut story = Story::new(secret, economy);
    acts.iter().for_each(|act| story.act(act));
    story.release();
    (story.world.turns, story.seen, story.heard)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// Two worlds in which all is the same but what Vera hears.
    #[test]
    fn in_a_small_channel_turns_are_the_same_whoever_hears(
        secrets in [secret(), secret()],
        economy in any::<bool>(),
        acts in prop::collection::vec(act(), 0..60),
    ) {
        let [one, other] = secrets.each_ref().map(|secret| told(secret, economy, &acts));
        let part = one.0.iter().zip(&other.0).find(|(one, other)| one != other);
        prop_assert_eq!(part, None, "turns");
        prop_assert_eq!(one.0.len(), other.0.len(), "turns");
        prop_assert!(one.1 == other.1, "what others got");
    }
}

/// Stories in which Vera hears as much whatever the secret is would prove nothing.
#[test]
fn in_generated_stories_vera_hears_much_with_one_secret_and_nothing_with_another() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let secret = |place| Secret { place, rx: Range::Km25, mutes: vec![false; NAMES.len()] };
    let (mut near, mut far) = (0, 0);
    for _ in 0..30 {
        let acts = prop::collection::vec(act(), 60).new_tree(&mut runner).unwrap().current();
        near += told(&secret(HERE), false, &acts).2;
        far += told(&secret(FAR), false, &acts).2;
    }
    assert!(near > 100 && far == 0, "{near} and {far}");
}

#[test]
fn a_listener_whose_socket_is_full_has_its_turns() {
    let turns = |stalled: bool| {
        let mut world = World::new();
        let [anna, vera, _] = ["Anna", "Vera", "Bert"].map(|name| world.tuned(name, "19"));
        world.stall(vera, stalled);
        world.press(anna, "19", 1);
        world.speak_for(anna, 1, 0..20);
        world.turns.iter().map(|given| (given.worker, given.at)).collect::<Vec<_>>()
    };
    assert_eq!(turns(true), turns(false));
}

/// The clock of a worker that does nothing else, to `end`: who had a turn, and when.
fn clock(deck: &mut Deck<&'static str>, from: Time, end: Time) -> Vec<(Time, Turn)> {
    let mut given = Vec::new();
    let mut now = from;
    while now < end {
        while let Some(turn) = deck.due(now) {
            if let Some(conn) = turn.listener() {
                let mut items = Vec::new();
                deck.gather(conn, 100, &mut items);
                deck.advance(conn, items.len());
            }
            given.push((now, turn));
        }
        now += Duration::from_micros(3);
    }
    given
}

const LISTENER: ConnId = ConnId(7);
/// The turns of a frame, and some.
const ROUND: Duration = Duration::from_millis(2);

/// A frame of each of many bursts to some of a large channel: when the listener gets it, and what the
/// worker does in the tick before.
fn in_a_large_channel(others: &[u64]) -> Vec<(Duration, bool)> {
    let mut deck = Deck::new(HOLD);
    let mut times = Vec::new();
    for number in 1..400 {
        let (burst, now) = (BurstNo(number), T + ms(20) * number);
        let tuned = others.iter().copied().chain([LISTENER.0]).map(hears);
        deck.open(burst, ByGrade::from_fn(|_| "started"), 1, false, tuned, now);
        clock(&mut deck, now, now + ROUND);
        let now = now + ROUND;
        deck.append(burst, packet(burst, 0, &OPUS_20_MS, now), now);
        let given = clock(&mut deck, now, now + ROUND);
        let at = given.iter().find(|(_, turn)| *turn == Turn::Large(LISTENER)).expect("it hears").0;
        let ahead = given.iter().any(|(other, _)| *other < at && at.since(*other) < 2 * TURN);
        times.push((at.since(now), ahead));
        deck.close(burst, "ended", now + ROUND);
        clock(&mut deck, now + ROUND, now + 2 * ROUND);
    }
    times
}

#[test]
fn in_a_large_channel_a_listener_has_its_time_whoever_else_hears() {
    let alone = in_a_large_channel(&[]);
    for others in [&[1][..], &[8, 9, 10], &[1, 2, 3, 4, 5, 6, 8, 9]] {
        let times = in_a_large_channel(others);
        assert!(alone.iter().zip(&times).all(|(one, other)| one.0 == other.0), "{others:?}");
        assert!(times.iter().all(|(at, ahead)| *ahead || at.is_zero()));
    }
    // Any of the turns: the mean is the middle, and they are many.
    let mean = alone.iter().map(|(at, _)| at.as_secs_f64()).sum::<f64>() / alone.len() as f64;
    let middle = TURN.as_secs_f64() * (f64::from(TURNS) / 2.0 + 4.0);
    assert!((mean / middle - 1.0).abs() < 0.2, "{mean}");
    let all: std::collections::BTreeSet<_> = alone.iter().map(|(at, _)| *at).collect();
    assert!(all.len() > usize::from(TURNS) / 2);
}

#[test]
fn in_a_large_channel_whoever_does_not_hear_is_no_member() {
    let mut deck = Deck::new(HOLD);
    let not = |conn| tenfour_core::hub::Tuned::Not(ConnId(conn));
    deck.open(BurstNo(1), ByGrade::from_fn(|_| "started"), 1, false, [not(1), hears(2), not(3)], T);
    deck.join(BurstNo(1), not(2), StartAt::Live, T);
    deck.join(BurstNo(1), not(4), StartAt::Live, T);
    assert_eq!(deck.figures().cursors, 0);
}
