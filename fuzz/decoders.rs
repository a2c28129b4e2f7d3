//! What is fuzzed: each decoder that reads bytes of a stranger. The targets in `fuzz_targets/`
//! call these, and so does the test that replays the corpus.

use tenfour_protocol::{ChannelId, ClientMessage, Description, Handle, ServerMessage, VoiceFrame};

/// A voice frame that parses is written as the same bytes.
pub fn voice_frame(data: &[u8]) {
    if let Ok(frame) = VoiceFrame::parse(data) {
        assert_eq!(frame.to_bytes(), data);
    }
}

/// A packet that passes holds at most 120 ms.
pub fn opus_packet(data: &[u8]) {
    if let Ok(time) = tenfour_protocol::opus::check(data) {
        assert!(time <= tenfour_protocol::limits::VOICE_FRAME_TIME && !time.is_zero());
    }
}

/// A message of a client that parses survives its own encoding.
pub fn client_message(data: &[u8]) {
    if let Ok(message) = serde_json::from_slice::<ClientMessage>(data) {
        let text = serde_json::to_string(&message).expect("a message has a text");
        assert_eq!(serde_json::from_str::<ClientMessage>(&text).expect("our own text parses"), message);
    }
}

/// The same for a message of the server.
pub fn server_message(data: &[u8]) {
    if let Ok(message) = serde_json::from_slice::<ServerMessage>(data) {
        let text = serde_json::to_string(&message).expect("a message has a text");
        assert_eq!(serde_json::from_str::<ServerMessage>(&text).expect("our own text parses"), message);
    }
}

/// Handles, descriptions and channels that parse are kept to the letter.
pub fn text_types(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(handle) = Handle::parse(text) {
        assert_eq!(handle.as_str(), text);
    }
    if let Ok(description) = Description::parse(text) {
        assert_eq!(description.as_str(), text);
    }
    if let Ok(channel) = text.parse::<ChannelId>() {
        assert_eq!(channel.to_string(), text);
    }
}
