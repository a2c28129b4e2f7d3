//! The model complains when it should, and else is quiet.

use std::sync::Arc;

use tenfour_core::hub::{
    Hears, HubFigures, Input, LoginId, Output, Recipients, ResumeToken, Route, StartAt, Tuned,
};
use tenfour_core::radio::HeardEnd;
use tenfour_core::voice::{Packet, unframed};
use tenfour_protocol::control::{ChannelInfo, Codec, FrameTime, Outcome};
use tenfour_protocol::{
    ClientMessage, Code, Country, Handle, Participant, Person, Place, Range, Refusal, ServerMessage,
    SignalGrade, UserId, VoiceFrame,
};

use super::*;
use crate::place::Position;
use crate::voice::Mark;

const LOCAL: BurstNo = BurstNo(1);
const BURST: BurstNo = BurstNo(7);
const HEARD: HeardNo = HeardNo(1);
/// What a hub knows when both of them are located.
const BOTH: HubFigures = HubFigures { located: 2, ..EMPTY };
const EMPTY: HubFigures = HubFigures {
    connections: 0,
    sessions: 0,
    suspended: 0,
    channels: 0,
    affiliations: 0,
    bursts_on_air: 0,
    bursts_held: 0,
    bursts_elsewhere: 0,
    nodes: 0,
    subscriptions: 0,
    alone: false,
    mutes: 0,
    located: 0,
    moving: 0,
    timers: 0,
};

/// Where a client is: 60 km apart.
fn position(client: usize) -> Position {
    Position::new(44.8, 20.5).towards(1.0, 60.0 * client as f64)
}

fn participant(client: usize, country: Option<&str>) -> Participant {
    let user = UserId::of_key(&[client as u8; 32]);
    let handle = Handle::parse("Radio").unwrap();
    let country = country.map(|country| Country::try_from(country.to_owned()).unwrap());
    let person = Person { handle, tag: user.tag(), description: None, country };
    Participant { id: ParticipantNo(client as u32), person }
}

fn conn(client: usize) -> ConnId {
    ConnId(client as u64)
}

fn told(model: &mut Model, client: usize, message: ServerMessage) {
    let to = Recipients::One(conn(client));
    model.hub_says(&Output::Send { to, message }, |conn| Some(conn.0 as usize), Time::ZERO);
}

fn says(model: &mut Model, output: &Output) {
    model.hub_says(output, |conn| Some(conn.0 as usize), Time::ZERO);
}

fn located(country: &str, stamp: bool) -> ServerMessage {
    let country = Country::try_from(country.to_owned()).ok();
    let stamp = stamp.then(|| "stamp".to_owned());
    ServerMessage::Located { shared: true, country, stamp, effective_in_ms: None }
}

fn ended(reason: EndReason) -> ServerMessage {
    ServerMessage::BurstEnded { burst: BURST, frames: 0, reason }
}

/// A client is located in Serbia and tuned to channel 19.
fn arrives(model: &mut Model, client: usize) {
    let Participant { id, person } = participant(client, None);
    let (user, token) = (UserId::of_key(&[client as u8; 32]), ResumeToken([0; 32]));
    let login = LoginId(client as u64);
    model.hub_hears(
        &Input::Connected { conn: conn(client), login, user, address: None, person: person.clone(), token },
        Time::ZERO,
    );
    let place = Some(Place { cell: position(client).said(), stamp: None });
    let hello = ClientMessage::Hello {
        client: "test".into(),
        resume: None,
        economy: false,
        hear_self: false,
        place,
        range: None,
        device: None,
    };
    model.hub_hears(&Input::Message { conn: conn(client), message: hello }, Time::ZERO);
    let welcome = ServerMessage::Welcome {
        you: Participant { id, person },
        resume: "token".into(),
        resumed: false,
        tuned: vec![],
        hold_ms: 0,
        talk_limit_ms: 0,
        limits: Default::default(),
        epoch_in_ms: 0,
        host: "host".into(),
        server: "server".into(),
    };
    told(model, client, welcome);
    told(model, client, located("RS", true));
    let info = ChannelInfo { channel: "19".parse().unwrap(), label: None, count: 0 };
    told(model, client, ServerMessage::Tuned { info, participants: vec![], pages: 1 });
    model.hub_is_done(HubFigures { located: client + 1, ..EMPTY }, Time::ZERO);
}

/// A model in which client 0 talks on channel 19 and client 1 is told of it.
fn on_the_air() -> Model {
    let channel: ChannelId = "19".parse().unwrap();
    let config = HubConfig { hold: Duration::from_secs(4), ..HubConfig::default() };
    let config = HubConfig { talk_limit: Duration::from_secs(5), ..config };
    let mut model = Model::new(&config, vec![false, false]);
    (0..2).for_each(|client| arrives(&mut model, client));
    model.pressed(0, LOCAL, channel.clone());
    let (burst, grade) = (BURST, SignalGrade::try_from(2).ok());
    let started = ServerMessage::BurstStarted {
        burst,
        channel: channel.clone(),
        talker: participant(0, Some("RS")),
        codec: Codec::Opus,
        frame_ms: FrameTime::Ms20,
        grade: None,
        bundle: None,
    };
    let tuned = vec![Tuned::Hears(Hears { conn: conn(1), grade })];
    let route = Route { burst, channel: channel.clone(), bundle: 1, started, small: true, tuned };
    says(&mut model, &Output::Open(Arc::new(route)));
    says(&mut model, &Output::Admit { conn: conn(0), local: LOCAL, burst });
    model.hub_is_done(BOTH, Time::ZERO);
    relayed(&mut model, 0, 0, Time::ZERO);
    model.begins(1, HEARD, (BURST, channel), grade);
    model
}

fn packet(seq: u16) -> Vec<u8> {
    Mark { talker: 0, local: LOCAL, seq }.packet()
}

/// The uplink of client 0 passes on a frame that has just come.
fn relayed(model: &mut Model, seq: u16, media_time: u32, now: Time) {
    let payload = packet(seq);
    let frame = VoiceFrame { burst: BURST, seq, media_time, last: false, payload: &payload };
    model.relayed(BURST, &Packet::new(unframed, &frame, now), now);
}

/// The server writes the first frame to client 1.
fn written(model: &mut Model) {
    let payload = packet(0);
    let frame = VoiceFrame { burst: BURST, seq: 0, media_time: 0, last: false, payload: &payload };
    let now = Time::ZERO + SLACK * 2;
    model.written(1, conn(1), &Packet::new(unframed, &frame, now), now);
}

fn leaves(model: &mut Model) {
    says(model, &Output::Leave { burst: BURST, conn: conn(1) });
}

/// Client 1 hears no further than `rx`, and the hub does what follows from that.
fn narrows(model: &mut Model, rx: Range, then: impl FnOnce(&mut Model)) {
    let tx = Range::Unlimited;
    model.hub_hears(&Input::Message { conn: conn(1), message: ClientMessage::Range { tx, rx } }, Time::ZERO);
    told(model, 1, ServerMessage::Ranged { tx, rx });
    then(model);
    model.hub_is_done(BOTH, Time::ZERO);
}

fn complaints(act: impl FnOnce(&mut Model)) -> Vec<String> {
    let mut model = on_the_air();
    act(&mut model);
    model.violations
}

#[test]
fn what_is_right_is_let_pass() {
    assert_eq!(complaints(|model| model.heard(1, HEARD, 0, &packet(0))), [""; 0]);
    assert_eq!(complaints(written), [""; 0]);
    assert_eq!(complaints(|model| relayed(model, 1, 48_000 * 3 - 960, Time::ZERO)), [""; 0]);
    assert_eq!(complaints(|model| model.reaches(1, HEARD, 48_000 * 8 + 24_000, Time::ZERO)), [""; 0]);
    assert_eq!(complaints(|model| narrows(model, Range::Km100, |_| ())), [""; 0]);
    let goes = |model: &mut Model| {
        narrows(model, Range::Km50, |model| {
            leaves(model);
            told(model, 1, ended(EndReason::OutOfRange));
        });
        model.ends(1, HEARD, HeardEnd::Ended(EndReason::OutOfRange));
    };
    assert_eq!(complaints(goes), [""; 0]);
}

#[test]
fn each_broken_promise_is_noticed() {
    let now = Time::from_micros(6_000_000);
    let aired = Outcome::Aired { frames: 1, ended: EndReason::Released, dropped: None };
    type Act<'a> = &'a dyn Fn(&mut Model);
    let broken: [(&str, Act<'_>); 13] = [
        ("a frame twice", &|m| (0..2).for_each(|_| m.heard(1, HEARD, 0, &packet(0)))),
        ("out of order", &|m| [1, 0].into_iter().for_each(|seq| m.heard(1, HEARD, seq, &packet(seq)))),
        ("changed bytes", &|m| m.heard(1, HEARD, 0, &[0x08; 60])),
        ("another frame's sound", &|m| m.heard(1, HEARD, 0, &packet(1))),
        ("a frame held too long", &|m| m.holds(Some(Time::ZERO), now)),
        ("over the talk limit", &|m| relayed(m, 1, 960, now)),
        ("a clock that runs away", &|m| relayed(m, 1, 48_000 * 3, Time::ZERO)),
        ("time that was saved", &|m| relayed(m, 1, 48_000 * 5, Time::from_micros(4_000_000))),
        ("two frames in one place", &|m| relayed(m, 1, 959, Time::ZERO)),
        ("a burst too long to hear", &|m| m.reaches(1, HEARD, 48_000 * 8 + 24_001, Time::ZERO)),
        ("a second receipt", &|m| (0..2).for_each(|_| m.receipt(0, LOCAL, &aired))),
        ("no end", &|m| m.settled(&[(None, vec![]), (None, vec![])])),
        ("something left", &|m| m.left(vec!["a burst".into()])),
    ];
    for (what, act) in broken {
        assert_ne!(complaints(act), [""; 0], "{what} was not noticed");
    }
}

/// Client 1 has client 0 muted, and the hub does what follows from that.
fn mutes(model: &mut Model, then: impl FnOnce(&mut Model)) {
    let message = ClientMessage::Mute { participant: ParticipantNo(0), muted: true };
    model.hub_hears(&Input::Message { conn: conn(1), message }, Time::ZERO);
    then(model);
    model.hub_is_done(BOTH, Time::ZERO);
}

#[test]
fn each_listener_who_may_not_hear_is_noticed() {
    let channel: ChannelId = "19".parse().unwrap();
    let untunes = |model: &mut Model, then: fn(&mut Model)| {
        told(model, 1, ServerMessage::Untuned { channel: channel.clone() });
        then(model);
        model.hub_is_done(BOTH, Time::ZERO);
    };
    let joins = |model: &mut Model| {
        let listener = Hears { conn: conn(1), grade: SignalGrade::try_from(2).ok() };
        says(model, &Output::Join { burst: BURST, who: Tuned::Hears(listener), from: StartAt::Live });
    };
    type Act<'a> = &'a dyn Fn(&mut Model);
    let broken: [(&str, Act<'_>); 6] = [
        ("a listener who has left the channel", &|m| untunes(m, |_| ())),
        ("a frame to who has left the channel", &|m| {
            untunes(m, leaves);
            written(m);
        }),
        ("a listener who mutes the talker", &|m| mutes(m, |_| ())),
        ("a frame to who mutes the talker", &|m| {
            mutes(m, leaves);
            written(m);
        }),
        ("a listener who comes back and mutes the talker", &|m| {
            mutes(m, leaves);
            joins(m);
        }),
        ("a listener who mutes nobody any more and hears nothing", &|m| {
            mutes(m, leaves);
            let message = ClientMessage::Mute { participant: ParticipantNo(0), muted: false };
            m.hub_hears(&Input::Message { conn: conn(1), message }, Time::ZERO);
            m.hub_is_done(BOTH, Time::ZERO);
        }),
    ];
    for (what, act) in broken {
        assert_ne!(complaints(act), [""; 0], "{what} was not noticed");
    }
    assert_eq!(complaints(|m| untunes(m, leaves)), [""; 0]);
    assert_eq!(complaints(|m| mutes(m, leaves)), [""; 0]);
    let refused = |m: &mut Model| {
        let refusal = Refusal::from(Code::TooManyMuted);
        mutes(m, |m| told(m, 1, ServerMessage::Error { refusal }));
    };
    assert_eq!(complaints(refused), [""; 0]);
    let back = |m: &mut Model| {
        mutes(m, leaves);
        let message = ClientMessage::Mute { participant: ParticipantNo(0), muted: false };
        m.hub_hears(&Input::Message { conn: conn(1), message }, Time::ZERO);
        joins(m);
        m.hub_is_done(BOTH, Time::ZERO);
    };
    assert_eq!(complaints(back), [""; 0]);
}

#[test]
fn each_broken_promise_about_places_is_noticed() {
    let joins = |grade| {
        let listener = Hears { conn: conn(1), grade: SignalGrade::try_from(grade).ok() };
        Output::Join { burst: BURST, who: Tuned::Hears(listener), from: StartAt::Live }
    };
    let moves = |message| Input::Message { conn: conn(1), message };
    let elsewhere = ClientMessage::locate(Some(position(3).said()));
    let presence = |country| ServerMessage::Presence {
        channel: "19".parse().unwrap(),
        count: 2,
        joined: vec![],
        left: vec![],
        changed: vec![participant(1, country)],
    };
    let cell = Refusal::because(Code::CellRefused, "861ec9077ffffff is refused.");
    type Act<'a> = &'a dyn Fn(&mut Model);
    let broken: [(&str, Act<'_>); 11] = [
        ("heard beyond the range", &|m| narrows(m, Range::Km50, |_| ())),
        ("not heard within it", &|m| narrows(m, Range::Km100, leaves)),
        ("sent away without a word", &|m| narrows(m, Range::Km50, leaves)),
        ("a frame beyond the range", &|m| {
            narrows(m, Range::Km50, leaves);
            written(m);
        }),
        ("another grade", &|m| says(m, &joins(3))),
        ("a grade that nobody gave", &|m| {
            m.begins(1, HeardNo(2), (BURST, "19".parse().unwrap()), SignalGrade::try_from(5).ok());
        }),
        ("a word of range within it", &|m| m.ends(1, HEARD, HeardEnd::Ended(EndReason::OutOfRange))),
        ("a move before the boundary", &|m| {
            m.hub_hears(&moves(elsewhere.clone()), Time::ZERO);
            told(m, 1, located("RS", true));
        }),
        ("a cell", &|m| told(m, 1, ServerMessage::Error { refusal: cell.clone() })),
        ("another country", &|m| told(m, 0, presence(Some("HR")))),
        ("a place that outlives its connection", &|m| {
            m.hub_hears(&Input::Disconnected { conn: conn(1) }, Time::ZERO);
            m.hub_is_done(BOTH, Time::ZERO);
        }),
    ];
    for (what, act) in broken {
        assert_ne!(complaints(act), [""; 0], "{what} was not noticed");
    }
    assert_eq!(complaints(|m| told(m, 0, presence(Some("RS")))), [""; 0]);
}
