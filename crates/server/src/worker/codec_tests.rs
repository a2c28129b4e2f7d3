//! The cases of the Autobahn test suite that apply to a server without extensions, by their
//! numbers, and random cuts and garbage.

use proptest::prelude::*;

use super::*;

/// What came out, owned.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Came {
    Text(String),
    Binary(Vec<u8>),
    Ping(Vec<u8>),
    Pong,
    Close(Option<u16>),
    Violation(u16),
}

fn client(first: u8, payload: &[u8]) -> Vec<u8> {
    let mask = [0x37, 0xfa, 0x21, 0x3d];
    let (mut bytes, length) = header(0, payload.len());
    bytes[0] = first;
    bytes[1] |= MASKED;
    let masked = payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask);
    bytes[..length].iter().copied().chain(mask).chain(masked).collect()
}

/// Feeds `bytes` in pieces of `piece` bytes.
fn decode(bytes: &[u8], piece: usize) -> Vec<Came> {
    let (mut decoder, mut came) = (Decoder::default(), Vec::new());
    for piece in bytes.chunks(piece.max(1)) {
        let fed = decoder.feed(&mut piece.to_vec(), |event| {
            came.push(match event {
                Event::Text(text) => Came::Text(text.to_owned()),
                Event::Binary(bytes) => Came::Binary(bytes.to_vec()),
                Event::Ping(bytes) => Came::Ping(bytes.to_vec()),
                Event::Pong => Came::Pong,
                Event::Close(code) => Came::Close(code),
            });
        });
        if let Err(violation) = fed {
            came.push(Came::Violation(violation.close_code()));
            break;
        }
    }
    came
}

const FIN_TEXT: u8 = FINAL | TEXT;
const FIN_BINARY: u8 = FINAL | BINARY;
const FIN_CONT: u8 = FINAL | CONTINUATION;
const FIN_PING: u8 = FINAL | PING;
const FIN_PONG: u8 = FINAL | PONG;
const FIN_CLOSE: u8 = FINAL | CLOSE;

fn text_came(text: &str) -> Came {
    Came::Text(text.to_owned())
}

/// Autobahn number, frames of the client, what has to come out.
type Case = (&'static str, Vec<Vec<u8>>, Vec<Came>);

#[rustfmt::skip]
fn cases() -> Vec<Case> {
    let protocol = Came::Violation(1002);
    let utf8 = Came::Violation(1007);
    let large = Came::Violation(1009);
    let star = |n: usize| "*".repeat(n);
    let mut unmasked = client(FIN_TEXT, b"Hi");
    unmasked[1] &= !MASKED;
    vec![
        ("1.1.1", vec![client(FIN_TEXT, b"")], vec![text_came("")]),
        ("1.1.2", vec![client(FIN_TEXT, star(125).as_bytes())], vec![text_came(&star(125))]),
        ("1.1.3", vec![client(FIN_TEXT, star(126).as_bytes())], vec![text_came(&star(126))]),
        ("1.1.4", vec![client(FIN_TEXT, star(127).as_bytes())], vec![text_came(&star(127))]),
        ("1.1.5 at our limit", vec![client(FIN_TEXT, star(4096).as_bytes())], vec![text_came(&star(4096))]),
        ("1.1.6 over our limit", vec![client(FIN_TEXT, star(4097).as_bytes())], vec![large.clone()]),
        ("1.1.8 huge", vec![client(FIN_TEXT, star(70_000).as_bytes())], vec![large.clone()]),
        ("1.2.1", vec![client(FIN_BINARY, b"")], vec![Came::Binary(vec![])]),
        ("1.2.3 at our limit", vec![client(FIN_BINARY, &[0xfe; 412])], vec![Came::Binary(vec![0xfe; 412])]),
        ("1.2.4 over our limit", vec![client(FIN_BINARY, &[0xfe; 413])], vec![large.clone()]),
        ("2.1", vec![client(FIN_PING, b"")], vec![Came::Ping(vec![])]),
        ("2.2", vec![client(FIN_PING, b"Hello")], vec![Came::Ping(b"Hello".to_vec())]),
        ("2.3", vec![client(FIN_PING, b"\x00\xff\xfe")], vec![Came::Ping(b"\x00\xff\xfe".to_vec())]),
        ("2.4", vec![client(FIN_PING, &[0xfe; 125])], vec![Came::Ping(vec![0xfe; 125])]),
        ("2.5", vec![client(FIN_PING, &[0xfe; 126])], vec![protocol.clone()]),
        ("2.7", vec![client(FIN_PONG, b"")], vec![Came::Pong]),
        ("2.8", vec![client(FIN_PONG, b"unasked")], vec![Came::Pong]),
        ("2.10", vec![client(FIN_PING, b"1"), client(FIN_PING, b"2")], vec![Came::Ping(b"1".to_vec()), Came::Ping(b"2".to_vec())]),
        ("3.1 RSV1", vec![client(FIN_TEXT | 0x40, b"Hi")], vec![protocol.clone()]),
        ("3.2 RSV2", vec![client(FIN_TEXT, b"Hi"), client(FIN_TEXT | 0x20, b"Hi")], vec![text_came("Hi"), protocol.clone()]),
        ("3.3 RSV1+2", vec![client(FIN_TEXT | 0x60, b"Hi")], vec![protocol.clone()]),
        ("3.4 RSV3", vec![client(FIN_TEXT | 0x10, b"Hi")], vec![protocol.clone()]),
        ("3.6 RSV2+3", vec![client(FIN_PING | 0x30, b"")], vec![protocol.clone()]),
        ("3.7 RSV1-3", vec![client(FIN_CLOSE | 0x70, b"")], vec![protocol.clone()]),
        ("4.1.1 opcode 3", vec![client(FINAL | 3, b"")], vec![protocol.clone()]),
        ("4.1.5 opcode 7", vec![client(FIN_TEXT, b"Hi"), client(FINAL | 7, b"x")], vec![text_came("Hi"), protocol.clone()]),
        ("4.2.1 opcode 11", vec![client(FINAL | 11, b"")], vec![protocol.clone()]),
        ("4.2.5 opcode 15", vec![client(FINAL | 15, b"x")], vec![protocol.clone()]),
        ("5.1 fragmented ping", vec![client(PING, b"a"), client(FIN_CONT, b"b")], vec![protocol.clone()]),
        ("5.2 fragmented pong", vec![client(PONG, b"a"), client(FIN_CONT, b"b")], vec![protocol.clone()]),
        ("5.3", vec![client(TEXT, b"a"), client(FIN_CONT, b"b")], vec![text_came("ab")]),
        ("5.6 ping between", vec![client(TEXT, b"a"), client(FIN_PING, b"p"), client(FIN_CONT, b"b")], vec![Came::Ping(b"p".to_vec()), text_came("ab")]),
        ("5.9 nothing to continue", vec![client(FIN_CONT, b"x"), client(FIN_TEXT, b"Hi")], vec![protocol.clone()]),
        ("5.12 nothing to continue", vec![client(CONTINUATION, b"x"), client(FIN_TEXT, b"Hi")], vec![protocol.clone()]),
        ("5.15 nothing to continue", vec![client(TEXT, b"a"), client(FIN_CONT, b"b"), client(CONTINUATION, b"c")], vec![text_came("ab"), protocol.clone()]),
        ("5.18 text in a text", vec![client(TEXT, b"a"), client(FIN_TEXT, b"b")], vec![protocol.clone()]),
        ("5.19 five fragments, pings", vec![client(TEXT, b"1"), client(CONTINUATION, b"2"), client(FIN_PING, b"p"), client(CONTINUATION, b"3"), client(CONTINUATION, b"4"), client(FIN_PING, b"q"), client(FIN_CONT, b"5")],
            vec![Came::Ping(b"p".to_vec()), Came::Ping(b"q".to_vec()), text_came("12345")]),
        ("5 fragments over our limit", vec![client(BINARY, &[1; 400]), client(FIN_CONT, &[1; 13])], vec![large.clone()]),
        ("6.1.1", vec![client(FIN_TEXT, b"")], vec![text_came("")]),
        ("6.1.2", vec![client(TEXT, b""), client(CONTINUATION, b""), client(FIN_CONT, b"")], vec![text_came("")]),
        ("6.2.1", vec![client(FIN_TEXT, "Hellö-µ@ßöäüàá-UTF-8!!".as_bytes())], vec![text_came("Hellö-µ@ßöäüàá-UTF-8!!")]),
        ("6.2.2 cut in a letter", vec![client(TEXT, &"µ".as_bytes()[..1]), client(FIN_CONT, &"µ".as_bytes()[1..])], vec![text_came("µ")]),
        ("6.3.1 surrogate", vec![client(FIN_TEXT, b"\xce\xba\xed\xa0\x80edited")], vec![utf8.clone()]),
        ("6.6.2 ends in a letter", vec![client(FIN_TEXT, b"\xce\xba\xe1\xbd")], vec![utf8.clone()]),
        ("6.8.1 five bytes", vec![client(FIN_TEXT, b"\xf8\x88\x80\x80\x80")], vec![utf8.clone()]),
        ("6.10.1 overlong", vec![client(FIN_TEXT, b"\xc0\xaf")], vec![utf8.clone()]),
        ("6.21.1 BOM", vec![client(FIN_TEXT, "\u{feff}".as_bytes())], vec![text_came("\u{feff}")]),
        ("7.1.1", vec![client(FIN_TEXT, b"Hi"), client(FIN_CLOSE, &1000u16.to_be_bytes())], vec![text_came("Hi"), Came::Close(Some(1000))]),
        ("7.1.2 two closes", vec![client(FIN_CLOSE, b""), client(FIN_CLOSE, b"")], vec![Came::Close(None)]),
        ("7.1.3 ping after close", vec![client(FIN_CLOSE, b""), client(FIN_PING, b"")], vec![Came::Close(None)]),
        ("7.1.5 close in a text", vec![client(TEXT, b"a"), client(FIN_CLOSE, b""), client(FIN_CONT, b"b")], vec![Came::Close(None)]),
        ("7.3.1", vec![client(FIN_CLOSE, b"")], vec![Came::Close(None)]),
        ("7.3.2 one byte", vec![client(FIN_CLOSE, b"a")], vec![protocol.clone()]),
        ("7.3.5 longest reason", vec![client(FIN_CLOSE, &[&1000u16.to_be_bytes()[..], &[b'*'; 123]].concat())], vec![Came::Close(Some(1000))]),
        ("7.3.6 too long", vec![client(FIN_CLOSE, &[&1000u16.to_be_bytes()[..], &[b'*'; 124]].concat())], vec![protocol.clone()]),
        ("7.5.1 bad reason", vec![client(FIN_CLOSE, b"\x03\xe8\xce\xba\xed\xa0\x80")], vec![utf8]),
        ("unmasked", vec![unmasked], vec![protocol]),
    ]
}

#[test]
fn the_cases_of_the_autobahn_suite_come_out_right_whole_and_cut() {
    for (name, frames, expected) in cases() {
        let bytes = frames.concat();
        for piece in [1, 2, 3, 7, 64, bytes.len()] {
            assert_eq!(decode(&bytes, piece), expected, "case {name} in pieces of {piece}");
        }
    }
}

#[test]
fn close_codes_are_those_of_the_registry() {
    let close = |code: u16| decode(&client(FIN_CLOSE, &code.to_be_bytes()), 99);
    for code in [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999] {
        assert_eq!(close(code), [Came::Close(Some(code))], "7.7, {code}");
    }
    for code in [0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999, 5000, 65535] {
        assert_eq!(close(code), [Came::Violation(1002)], "7.9, {code}");
    }
}

#[test]
fn a_length_that_is_a_lie_costs_nothing() {
    let mut decoder = Decoder::default();
    let mut lie = vec![FIN_BINARY, MASKED | 127, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
    assert_eq!(decoder.feed(&mut lie, |_| {}), Err(Violation::TooLarge));
    assert_eq!((decoder.rest.capacity(), decoder.message.capacity()), (0, 0));
}

#[test]
fn what_the_server_sends_is_framed_by_the_book() {
    assert_eq!(&*text(b"{}"), b"\x81\x02{}");
    assert_eq!(text(&[b'x'; 126])[..4], [0x81, 126, 0, 126]);
    assert_eq!(text(&vec![b'x'; 65_536])[..10], [0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]);
    assert_eq!(voice_framing(92).as_bytes(), [0x82, 92]);
    assert_eq!(voice_framing(412).as_bytes(), [0x82, 126, 1, 156]);
    assert_eq!(&*close(4001, "logged_out"), b"\x88\x0c\x0f\xa1logged_out");
    assert_eq!(&*ping(), b"\x89\x00");
    assert_eq!(&*pong(b"a"), b"\x8a\x01a");
    assert_eq!(&*close_plain(), b"\x88\x00");
}

proptest! {
    #[test]
    fn garbage_never_panics_and_is_bounded(bytes in prop::collection::vec(any::<u8>(), 0..6000), piece in 1usize..300) {
        let mut decoder = Decoder::default();
        for piece in bytes.chunks(piece) {
            if decoder.feed(&mut piece.to_vec(), |_| {}).is_err() {
                break;
            }
            prop_assert!(decoder.rest.len() + decoder.message.len() <= 2 * CONTROL_BYTES + HEADER_BYTES);
        }
    }

    #[test]
    fn cuts_change_nothing(
        messages in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..412), 1..6),
        piece in 1usize..500,
    ) {
        let bytes: Vec<u8> = messages.iter().flat_map(|message| client(FIN_BINARY, message)).collect();
        let expected: Vec<_> = messages.into_iter().map(Came::Binary).collect();
        prop_assert_eq!(decode(&bytes, piece), expected);
    }
}

/// Feeds what one read brings; whether a part is kept, and whether all of it came with this read.
fn keeps(decoder: &mut Decoder, bytes: &[u8]) -> (bool, bool) {
    decoder.feed(&mut bytes.to_vec(), |_| {}).unwrap();
    let emptied = decoder.take_emptied();
    (decoder.is_unfinished(), decoder.is_unfinished() && emptied)
}

#[test]
fn what_is_kept_is_as_old_as_its_first_byte() {
    let (old, new) = ((true, false), (true, true));
    let frame = client(FIN_BINARY, &[7; 40]);
    let mut decoder = Decoder::default();
    assert_eq!(keeps(&mut decoder, &frame[..1]), new);
    assert_eq!(keeps(&mut decoder, &frame[1..9]), old, "more of the same frame");
    assert_eq!(keeps(&mut decoder, &frame[9..]), (false, false));
    assert_eq!(keeps(&mut decoder, &frame[..9]), new);
    let end_and_begin = [&frame[9..], &frame[..20]].concat();
    assert_eq!(keeps(&mut decoder, &end_and_begin), new, "of another frame");

    // Two reads, and only then somebody asks.
    decoder.feed(&mut [&frame[20..], &frame[..5]].concat(), |_| {}).unwrap();
    assert_eq!(keeps(&mut decoder, &frame[5..8]), new);
    assert_eq!(keeps(&mut decoder, b""), old, "and no younger for being asked again");

    let mut decoder = Decoder::default();
    assert_eq!(keeps(&mut decoder, &client(BINARY, &[7; 40])), new);
    assert_eq!(keeps(&mut decoder, &client(FIN_PING, b"I am here")), old, "a ping is no part of it");
    assert_eq!(keeps(&mut decoder, &client(CONTINUATION, b"")), old);
    assert_eq!(keeps(&mut decoder, &client(FIN_CONT, &[7; 40])), (false, false));
    // A message without a byte so far may get one.
    assert_eq!(keeps(&mut decoder, &client(BINARY, b"")), new);
}
