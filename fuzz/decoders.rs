//! What is fuzzed: each decoder that reads bytes of a stranger. The targets in `fuzz_targets/`
//! call these, and so does the test that replays the corpus.

#[path = "tls.rs"]
mod tls;

use tenfour_core::Time;
use tenfour_core::voice::{Uplink, UplinkOutput, unframed};
use tenfour_protocol::control::FrameTime;
use tenfour_protocol::limits::{
    CONTROL_BYTES, CONTROL_QUEUE_BYTES, VOICE_HEADER_BYTES, VOICE_MESSAGE_BYTES, VOICE_PAYLOAD_BYTES,
};
use tenfour_protocol::node::{Envelope, Frames, Subject};
use tenfour_protocol::{
    BurstNo, ChannelId, ClientMessage, ContactText, Description, Handle, ServerMessage, VoiceFrame, json,
};
use tenfour_websocket::{Decoder, Peer};

pub(crate) use tls::tls_session;

/// A voice frame that parses is written as the same bytes.
pub(crate) fn voice_frame(data: &[u8]) {
    if let Ok(frame) = VoiceFrame::parse(data) {
        assert_eq!(frame.to_bytes(), data);
    }
}

/// A packet that passes holds at most 120 ms.
pub(crate) fn opus_packet(data: &[u8]) {
    if let Ok(time) = tenfour_protocol::opus::check(data) {
        assert!(time <= tenfour_protocol::limits::VOICE_FRAME_TIME && !time.is_zero());
    }
}

/// A message of a client that parses survives its own encoding.
pub(crate) fn client_message(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    json::press_of(text);
    if let Ok(message) = json::message(text) {
        let text = serde_json::to_string(&message).expect("a message has a text");
        assert_eq!(json::message(&text).expect("our own text parses"), message);
        assert_eq!(serde_json::from_str::<ClientMessage>(&text).expect("so the type says"), message);
    }
}

/// The same for a message of the server.
pub(crate) fn server_message(data: &[u8]) {
    if let Ok(message) = serde_json::from_slice::<ServerMessage>(data) {
        let text = serde_json::to_string(&message).expect("a message has a text");
        assert_eq!(serde_json::from_str::<ServerMessage>(&text).expect("our own text parses"), message);
    }
}

/// What other nodes say: control that parses survives its own encoding, and frames that parse are written
/// as the same bytes.
pub(crate) fn node_message(data: &[u8]) {
    if let Ok(message) = Envelope::parse(data) {
        assert_eq!(Envelope::parse(&message.to_bytes()).as_ref(), Ok(&message));
    }
    if let Ok(frames) = Frames::parse(data) {
        let bytes: Vec<_> = frames.iter().map(VoiceFrame::to_bytes).collect();
        assert_eq!(*Frames::to_bytes(frames.from, bytes.iter().map(Vec::as_slice)), data);
    }
    if let Ok(Ok(subject)) = std::str::from_utf8(data).map(str::parse::<Subject>) {
        assert_eq!(subject.to_string().as_bytes(), data);
    }
}

/// Handles, descriptions and channels that parse are kept to the letter.
pub(crate) fn text_types(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(handle) = Handle::parse(text) {
        assert_eq!(handle.as_str(), text);
    }
    if let Ok(description) = Description::parse(text) {
        assert_eq!(description.as_str(), text);
    }
    if let Ok(message) = ContactText::parse(text) {
        assert_eq!(ContactText::parse(message.as_str()), Ok(message));
    }
    if let Ok(channel) = text.parse::<ChannelId>() {
        assert_eq!(channel.to_string(), text);
    }
}

/// An uplink passes on what grows in number and in time, is well-formed, and does not run ahead of its
/// arrival, whatever it is given. The data are frames, each behind its length.
pub(crate) fn uplink(data: &[u8]) {
    let mut uplink = Uplink::new(unframed, Time::ZERO);
    uplink.start(BurstNo(1), FrameTime::Ms20, Time::ZERO);
    uplink.admit(BurstNo(1), BurstNo(7), Time::ZERO);
    let (mut rest, mut now, mut newest, mut begun, mut end) = (data, 0, None, None, 0);
    while let Some((&length, after)) = rest.split_first() {
        let (frame, after) = after.split_at(after.len().min(length.into()));
        uplink.frame(frame, Time::from_micros(now));
        (rest, now) = (after, now + 20_000);
    }
    while let Some(output) = uplink.poll() {
        let UplinkOutput::Frame { burst, packet } = output else { continue };
        let frame = VoiceFrame::parse(packet.message()).expect("an uplink passes on voice frames");
        assert_eq!((burst, frame.burst), (BurstNo(7), BurstNo(7)));
        assert!(newest.replace(frame.seq) < Some(frame.seq), "sequence numbers grow");
        assert!(tenfour_protocol::opus::check(frame.payload).is_ok());
        let at = frame.media_time.wrapping_sub(*begun.get_or_insert(frame.media_time));
        assert!(end <= at, "frames lie side by side");
        end = at + FrameTime::Ms20.samples();
        let come = packet.arrived().as_micros() * 48 / 1000;
        assert!(u64::from(end) <= come + 3 * 48_000, "media time outruns arrival");
    }
}

/// The WebSocket decoder of either end takes `data` in pieces as it takes it whole, whatever it is. The first
/// byte says how long the pieces are.
pub(crate) fn websocket(data: &[u8]) {
    let Some((piece, bytes)) = data.split_first() else { return };
    let (piece, whole) = (usize::from(*piece).max(1), bytes.len().max(1));
    assert_eq!(decode::<Client>(bytes, piece), decode::<Client>(bytes, whole));
    assert_eq!(decode::<Server>(bytes, piece), decode::<Server>(bytes, whole));
}

enum Client {}
enum Server {}

impl Peer for Client {
    const MASKS: bool = true;
    const TEXT_BYTES: usize = CONTROL_BYTES;
    const BINARY_BYTES: usize = VOICE_MESSAGE_BYTES;
}

impl Peer for Server {
    const MASKS: bool = false;
    const TEXT_BYTES: usize = CONTROL_QUEUE_BYTES;
    const BINARY_BYTES: usize = VOICE_HEADER_BYTES + VOICE_PAYLOAD_BYTES;
}

/// What came out, as text, and how it ended.
fn decode<P: Peer>(bytes: &[u8], piece: usize) -> (Vec<String>, Option<u16>) {
    let (mut decoder, mut events) = (Decoder::<P>::default(), Vec::new());
    for piece in bytes.chunks(piece) {
        let fed = decoder.feed(&mut piece.to_vec(), |event| events.push(format!("{event:?}")));
        if let Err(violation) = fed {
            return (events, Some(violation.close_code()));
        }
    }
    (events, None)
}

/// A recording is sound of finite numbers, or refused.
pub(crate) fn wav(data: &[u8]) {
    if let Ok(samples) = tenfour_client::recording::decode(data.to_vec()) {
        assert!(samples.iter().all(|sample| sample.is_finite()));
    }
}
