//! The link: greeting, coming back, giving up.

use std::time::Duration;

use crate::harness::*;
use tenfour_core::Time;
use tenfour_core::radio::{Event, Input, LinkState, Output};
use tenfour_protocol::{ClientMessage, Code, Refusal, ServerMessage};

fn is_hello(message: &ClientMessage) -> bool {
    matches!(message, ClientMessage::Hello { .. })
}

/// When the radio says it comes back.
fn coming_back(out: &[Output]) -> Option<Time> {
    events(out).into_iter().find_map(|event| match event {
        Event::Link(LinkState::ComingBack { at, .. }) => Some(*at),
        _ => None,
    })
}

#[test]
fn a_new_radio_asks_for_a_connection_and_greets_on_it() {
    let (mut harness, first) = Harness::new(1);
    assert_eq!(first, [Output::Event(Event::Link(LinkState::Connecting)), Output::Connect]);
    let out = harness.give(Input::Opened);
    assert!(matches!(sent(&out)[..], [ClientMessage::Hello { resume: None, .. }]), "{out:?}");
    let out = harness.say(welcome(false, &[]));
    assert!(matches!(events(&out)[..], [Event::Link(LinkState::OnTheAir { resumed: false, .. })]));
}

#[test]
fn a_channel_wanted_before_the_link_is_tuned_after_the_welcome() {
    let (mut harness, _) = Harness::new(1);
    assert!(harness.give(Input::Tune { channel: ch("19"), catch_up: true }).is_empty());
    harness.give(Input::Opened);
    let out = harness.say(welcome(false, &[]));
    assert_eq!(sent(&out), [&ClientMessage::Tune { channel: ch("19"), catch_up: true }]);
}

#[test]
fn after_a_drop_it_comes_back_within_a_quarter_of_a_second() {
    let mut harness = Harness::on_the_air();
    harness.pass(Duration::from_secs(10));
    let at = coming_back(&harness.drop_link()).expect("it comes back");
    let wait = at.since(harness.now);
    assert!(ms(125) <= wait && wait <= ms(250), "{wait:?}");
    assert!(harness.pass(wait).contains(&Output::Connect));
}

#[test]
fn waits_double_up_to_ten_seconds_and_start_anew_after_a_steady_link() {
    let mut harness = Harness::on_the_air();
    let mut upper = ms(250);
    for _ in 0..10 {
        let at = coming_back(&harness.drop_link()).expect("it comes back");
        let wait = at.since(harness.now);
        assert!(upper / 2 <= wait && wait <= upper, "{wait:?} is not within {upper:?}");
        harness.pass(wait);
        upper = (upper * 2).min(Duration::from_secs(10));
    }
    harness.give(Input::Opened);
    harness.say(welcome(false, &[]));
    harness.pass(Duration::from_secs(6));
    assert!(coming_back(&harness.drop_link()).expect("back").since(harness.now) <= ms(250));
}

#[test]
fn a_link_that_always_breaks_at_once_is_not_tried_ever_faster() {
    let mut harness = Harness::on_the_air();
    let mut wait = Duration::ZERO;
    for _ in 0..8 {
        wait = coming_back(&harness.drop_link()).expect("back").since(harness.now);
        harness.pass(wait);
        harness.give(Input::Opened);
        harness.say(welcome(true, &["19"]));
    }
    assert!(wait >= Duration::from_secs(5), "{wait:?}");
}

#[test]
fn two_radios_with_different_seeds_come_back_at_different_times() {
    let wait = |seed| {
        let (mut harness, _) = Harness::new(seed);
        coming_back(&harness.drop_link())
    };
    assert_ne!(wait(1), wait(2));
    assert_eq!(wait(1), wait(1));
}

#[test]
fn a_resumed_session_is_not_tuned_again() {
    let mut harness = Harness::on_the_air();
    harness.drop_link();
    let hello = harness.reconnect();
    let [ClientMessage::Hello { resume: Some(resume), .. }] = sent(&hello)[..] else { panic!("{hello:?}") };
    assert_eq!(resume.token, "token");
    assert!(sent(&harness.say(welcome(true, &["19"]))).is_empty());
}

#[test]
fn a_session_that_is_gone_is_tuned_again() {
    let mut harness = Harness::on_the_air();
    harness.drop_link();
    harness.reconnect();
    let out = harness.say(welcome(false, &[]));
    assert_eq!(sent(&out), [&ClientMessage::Tune { channel: ch("19"), catch_up: false }]);
}

#[test]
fn wishes_made_during_a_drop_are_made_good_after_the_resume() {
    let mut harness = Harness::on_the_air();
    harness.drop_link();
    harness.give(Input::Untune { channel: ch("19") });
    harness.give(Input::Tune { channel: ch("20"), catch_up: false });
    harness.reconnect();
    let out = harness.say(welcome(true, &["19"]));
    let tune = ClientMessage::Tune { channel: ch("20"), catch_up: false };
    assert_eq!(sent(&out), [&ClientMessage::Untune { channel: ch("19") }, &tune]);
}

#[test]
fn a_token_survives_a_connection_that_ends_before_the_welcome() {
    let mut harness = Harness::on_the_air();
    harness.drop_link();
    harness.reconnect();
    harness.drop_link();
    let hello = harness.reconnect();
    assert!(matches!(sent(&hello)[..], [ClientMessage::Hello { resume: Some(_), .. }]));
}

#[test]
fn a_server_that_stops_is_left_alone_until_it_is_back() {
    let mut harness = Harness::on_the_air();
    harness.say(ServerMessage::GoingAway { back_in_ms: 3000 });
    let out = harness.give(closed(Code::GoingAway));
    let wait = coming_back(&out).expect("it comes back").since(harness.now);
    assert!(ms(3000) <= wait && wait <= ms(6000), "{wait:?}");
    assert!(matches!(events(&out)[0], Event::Link(LinkState::ComingBack { going_away: true, .. })));
}

#[test]
fn a_log_out_ends_it_until_the_person_acts() {
    for code in [Code::LoggedOut, Code::NotLoggedIn, Code::ForeignOrigin, Code::UnknownSubprotocol] {
        let mut harness = Harness::on_the_air();
        let out = harness.give(closed(code));
        assert!(
            matches!(events(&out)[..], [Event::Link(LinkState::Gone { refusal })] if refusal.code == code),
            "{out:?}"
        );
        assert!(harness.pass(Duration::from_secs(3600)).is_empty());
        assert!(harness.give(Input::Retry).contains(&Output::Connect));
        assert!(matches!(
            sent(&harness.give(Input::Opened))[..],
            [ClientMessage::Hello { resume: None, .. }]
        ));
    }
}

#[test]
fn a_full_server_is_asked_again_when_it_says() {
    let mut harness = Harness::on_the_air();
    let refusal = Refusal::from(Code::ServerFull).retry_after(7000);
    let out = harness.give(Input::Closed { refusal: Some(refusal) });
    assert_eq!(coming_back(&out), Some(harness.now + ms(7000)));
}

#[test]
fn retry_does_not_wait() {
    let mut harness = Harness::on_the_air();
    harness.drop_link();
    assert!(harness.give(Input::Retry).contains(&Output::Connect));
    assert!(harness.give(Input::Retry).is_empty(), "one connection at a time");
}

#[test]
fn a_connection_that_does_not_open_is_given_up() {
    let (mut harness, _) = Harness::new(1);
    let out = harness.pass(Duration::from_secs(10));
    assert!(out.contains(&Output::Close) && coming_back(&out).is_some());
}

#[test]
fn a_server_that_does_not_welcome_is_given_up() {
    let (mut harness, _) = Harness::new(1);
    assert!(sent(&harness.give(Input::Opened)).into_iter().all(is_hello));
    let out = harness.pass(Duration::from_secs(5));
    assert!(out.contains(&Output::Close) && coming_back(&out).is_some());
}

#[test]
fn a_dead_link_is_noticed_and_a_quiet_one_is_kept() {
    let mut harness = Harness::on_the_air();
    let out = harness.pass(Duration::from_secs(21));
    assert_eq!(sent(&out), [&ClientMessage::Ping { n: 0 }]);
    harness.say(ServerMessage::Pong { n: 0 });
    for _ in 0..10 {
        assert!(harness.pass(Duration::from_secs(15)).is_empty(), "the server's own pings are enough");
        harness.give(Input::Alive);
    }
    assert!(harness.pass(Duration::from_secs(31)).contains(&Output::Close));
}

#[test]
fn a_refused_tune_is_told_with_its_channel_and_not_tried_again() {
    let mut harness = Harness::on_the_air();
    harness.give(Input::Tune { channel: ch("20"), catch_up: false });
    harness.give(Input::Tune { channel: ch("21"), catch_up: false });
    let out = harness.say(refused_tune(Code::ChannelFull, "20"));
    assert!(
        matches!(events(&out)[..], [Event::TuneRefused { channel, .. }] if *channel == ch("20")),
        "{out:?}"
    );
    harness.say(tuned("21"));
    harness.drop_link();
    harness.reconnect();
    let out = harness.say(welcome(false, &[]));
    assert_eq!(sent(&out).len(), 2, "19 and 21: {out:?}");
}

#[test]
fn a_tune_that_came_too_fast_is_sent_again() {
    let mut harness = Harness::on_the_air();
    harness.give(Input::Tune { channel: ch("20"), catch_up: false });
    let out = harness.say(refused_tune(Code::TooManyMessages, "20"));
    assert!(events(&out).is_empty(), "{out:?}");
    assert!(sent(&harness.pass(Duration::from_millis(150))).is_empty(), "not before it may");
    assert_eq!(sent(&harness.pass(Duration::from_millis(60))).len(), 1);
}

fn refused_tune(code: Code, channel: &str) -> ServerMessage {
    ServerMessage::Error { refusal: Refusal::from(code).about(ch(channel)).retry_after(200) }
}
