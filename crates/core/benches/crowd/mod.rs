//! A hub with a channel full of people.

use tenfour_core::hub::{Hub, Input, LoginId, Output, ResumeToken};
use tenfour_core::reach::snap;
use tenfour_core::{ConnId, Time};
use tenfour_protocol::control::{Codec, FrameTime};
use tenfour_protocol::{BurstNo, ChannelId, ClientMessage, Handle, Person, Place, Range, Ranges, UserId};

/// Somebody in a cell of their own, within some hundred kilometres.
pub(crate) fn join(hub: &mut Hub, number: u64, tx: Range, now: Time) {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&number.to_be_bytes());
    let user = UserId::of_key(&key);
    let handle = Handle::parse(&format!("Listener {number}")).expect("a handle");
    let person = Person { handle, tag: user.tag(), description: None, country: None };
    let (conn, login) = (ConnId(number), LoginId(number));
    hub.handle(Input::Connected { conn, login, user, address: None, person, token: ResumeToken(key) }, now);
    // The golden ratio and its kin spread points evenly.
    let part = |step: f64| (number as f64 * step).fract();
    let (lat, lon) = (42.0 + 6.0 * part(0.754_877_666), 16.0 + 8.0 * part(0.569_840_296));
    let place = Some(Place { cell: snap(lat, lon).expect("a position"), stamp: None });
    let range = Some(Ranges { tx, rx: Range::Unlimited });
    let client = "bench 1".into();
    let hello = ClientMessage::Hello {
        client,
        resume: None,
        economy: false,
        hear_self: false,
        place,
        range,
        device: None,
    };
    hub.handle(Input::Message { conn, message: hello }, now);
    hub.handle(
        Input::Message { conn, message: ClientMessage::Tune { channel: channel(), catch_up: false } },
        now,
    );
    drain(hub);
}

pub(crate) fn channel() -> ChannelId {
    ChannelId::numbered(19).expect("a channel")
}

/// Takes all orders, as a shell does; the listeners of the last burst that was opened.
pub(crate) fn drain(hub: &mut Hub) -> usize {
    let mut heard = 0;
    while let Some(output) = hub.poll() {
        if let Output::Open(route) = &output {
            heard = route.listeners().count();
        }
        std::hint::black_box(output);
    }
    heard
}

/// A press of the button.
pub(crate) fn press(local: u32) -> ClientMessage {
    let burst = BurstNo(local);
    ClientMessage::BurstStart { channel: channel(), burst, codec: Codec::Opus, frame_ms: FrameTime::Ms20 }
}
