//! The cases of the Autobahn test suite that apply to both ends without extensions, by their numbers, and
//! random cuts and garbage.

use proptest::prelude::*;

use super::*;
use crate::decoder::HEADER_BYTES;
use crate::wire::*;

/// Who sends to a server.
#[derive(Debug)]
enum Client {}

impl Peer for Client {
    const MASKS: bool = true;
    const TEXT_BYTES: usize = 4096;
    const BINARY_BYTES: usize = 412;
}

/// Who sends to a client.
#[derive(Debug)]
enum Server {}

impl Peer for Server {
    const MASKS: bool = false;
    const TEXT_BYTES: usize = 4096;
    const BINARY_BYTES: usize = 412;
}

/// What came out, owned.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Came {
    Text(String),
    Binary(Vec<u8>),
    Ping(Vec<u8>),
    Pong,
    Close(Option<u16>, String),
    Violation(u16),
}

/// Makes a frame.
type Make = fn(u8, &[u8]) -> Vec<u8>;

fn client(first: u8, payload: &[u8]) -> Vec<u8> {
    let mask = [0x37, 0xfa, 0x21, 0x3d];
    let (mut frame, length) = (server(first, &[]), length(payload));
    frame.splice(1.., length);
    frame[1] |= MASKED;
    let masked = payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask);
    frame.into_iter().chain(mask).chain(masked).collect()
}

fn server(first: u8, payload: &[u8]) -> Vec<u8> {
    [&[first], &length(payload)[..], payload].concat()
}

/// As RFC 6455, 5.2 has it, by hand.
fn length(payload: &[u8]) -> Vec<u8> {
    match payload.len() {
        short @ 0..126 => vec![u8::try_from(short).unwrap()],
        long @ 126..0x1_0000 => [&[126], &u16::try_from(long).unwrap().to_be_bytes()[..]].concat(),
        long => [&[127], &(long as u64).to_be_bytes()[..]].concat(),
    }
}

/// Feeds `bytes` in pieces of `piece` bytes.
fn decode<P: Peer>(bytes: &[u8], piece: usize) -> Vec<Came> {
    let (mut decoder, mut came) = (Decoder::<P>::default(), Vec::new());
    for piece in bytes.chunks(piece.max(1)) {
        let fed = decoder.feed(&mut piece.to_vec(), |event| {
            came.push(match event {
                Event::Text(text) => Came::Text(text.to_owned()),
                Event::Binary(bytes) => Came::Binary(bytes.to_vec()),
                Event::Ping(bytes) => Came::Ping(bytes.to_vec()),
                Event::Pong => Came::Pong,
                Event::Close { code, reason } => Came::Close(code, reason.to_owned()),
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

/// Autobahn number, frames of the peer, what has to come out.
type Case = (&'static str, Vec<Vec<u8>>, Vec<Came>);

#[rustfmt::skip]
/// Frames are made by `peer`; `other` makes those of the other end.
fn cases(peer: Make, other: Make) -> Vec<Case> {
    let protocol = Came::Violation(1002);
    let utf8 = Came::Violation(1007);
    let large = Came::Violation(1009);
    let star = |n: usize| "*".repeat(n);
    vec![
        ("1.1.1", vec![peer(FIN_TEXT, b"")], vec![text_came("")]),
        ("1.1.2", vec![peer(FIN_TEXT, star(125).as_bytes())], vec![text_came(&star(125))]),
        ("1.1.3", vec![peer(FIN_TEXT, star(126).as_bytes())], vec![text_came(&star(126))]),
        ("1.1.4", vec![peer(FIN_TEXT, star(127).as_bytes())], vec![text_came(&star(127))]),
        ("1.1.5 at our limit", vec![peer(FIN_TEXT, star(4096).as_bytes())], vec![text_came(&star(4096))]),
        ("1.1.6 over our limit", vec![peer(FIN_TEXT, star(4097).as_bytes())], vec![large.clone()]),
        ("1.1.8 huge", vec![peer(FIN_TEXT, star(70_000).as_bytes())], vec![large.clone()]),
        ("1.2.1", vec![peer(FIN_BINARY, b"")], vec![Came::Binary(vec![])]),
        ("1.2.3 at our limit", vec![peer(FIN_BINARY, &[0xfe; 412])], vec![Came::Binary(vec![0xfe; 412])]),
        ("1.2.4 over our limit", vec![peer(FIN_BINARY, &[0xfe; 413])], vec![large.clone()]),
        ("2.1", vec![peer(FIN_PING, b"")], vec![Came::Ping(vec![])]),
        ("2.2", vec![peer(FIN_PING, b"Hello")], vec![Came::Ping(b"Hello".to_vec())]),
        ("2.3", vec![peer(FIN_PING, b"\x00\xff\xfe")], vec![Came::Ping(b"\x00\xff\xfe".to_vec())]),
        ("2.4", vec![peer(FIN_PING, &[0xfe; 125])], vec![Came::Ping(vec![0xfe; 125])]),
        ("2.5", vec![peer(FIN_PING, &[0xfe; 126])], vec![protocol.clone()]),
        ("2.7", vec![peer(FIN_PONG, b"")], vec![Came::Pong]),
        ("2.8", vec![peer(FIN_PONG, b"unasked")], vec![Came::Pong]),
        ("2.10", vec![peer(FIN_PING, b"1"), peer(FIN_PING, b"2")], vec![Came::Ping(b"1".to_vec()), Came::Ping(b"2".to_vec())]),
        ("3.1 RSV1", vec![peer(FIN_TEXT | 0x40, b"Hi")], vec![protocol.clone()]),
        ("3.2 RSV2", vec![peer(FIN_TEXT, b"Hi"), peer(FIN_TEXT | 0x20, b"Hi")], vec![text_came("Hi"), protocol.clone()]),
        ("3.3 RSV1+2", vec![peer(FIN_TEXT | 0x60, b"Hi")], vec![protocol.clone()]),
        ("3.4 RSV3", vec![peer(FIN_TEXT | 0x10, b"Hi")], vec![protocol.clone()]),
        ("3.6 RSV2+3", vec![peer(FIN_PING | 0x30, b"")], vec![protocol.clone()]),
        ("3.7 RSV1-3", vec![peer(FIN_CLOSE | 0x70, b"")], vec![protocol.clone()]),
        ("4.1.1 opcode 3", vec![peer(FINAL | 3, b"")], vec![protocol.clone()]),
        ("4.1.5 opcode 7", vec![peer(FIN_TEXT, b"Hi"), peer(FINAL | 7, b"x")], vec![text_came("Hi"), protocol.clone()]),
        ("4.2.1 opcode 11", vec![peer(FINAL | 11, b"")], vec![protocol.clone()]),
        ("4.2.5 opcode 15", vec![peer(FINAL | 15, b"x")], vec![protocol.clone()]),
        ("5.1 fragmented ping", vec![peer(PING, b"a"), peer(FIN_CONT, b"b")], vec![protocol.clone()]),
        ("5.2 fragmented pong", vec![peer(PONG, b"a"), peer(FIN_CONT, b"b")], vec![protocol.clone()]),
        ("5.3", vec![peer(TEXT, b"a"), peer(FIN_CONT, b"b")], vec![text_came("ab")]),
        ("5.6 ping between", vec![peer(TEXT, b"a"), peer(FIN_PING, b"p"), peer(FIN_CONT, b"b")], vec![Came::Ping(b"p".to_vec()), text_came("ab")]),
        ("5.9 nothing to continue", vec![peer(FIN_CONT, b"x"), peer(FIN_TEXT, b"Hi")], vec![protocol.clone()]),
        ("5.12 nothing to continue", vec![peer(CONTINUATION, b"x"), peer(FIN_TEXT, b"Hi")], vec![protocol.clone()]),
        ("5.15 nothing to continue", vec![peer(TEXT, b"a"), peer(FIN_CONT, b"b"), peer(CONTINUATION, b"c")], vec![text_came("ab"), protocol.clone()]),
        ("5.18 text in a text", vec![peer(TEXT, b"a"), peer(FIN_TEXT, b"b")], vec![protocol.clone()]),
        ("5.19 five fragments, pings", vec![peer(TEXT, b"1"), peer(CONTINUATION, b"2"), peer(FIN_PING, b"p"), peer(CONTINUATION, b"3"), peer(CONTINUATION, b"4"), peer(FIN_PING, b"q"), peer(FIN_CONT, b"5")],
            vec![Came::Ping(b"p".to_vec()), Came::Ping(b"q".to_vec()), text_came("12345")]),
        ("5 fragments over our limit", vec![peer(BINARY, &[1; 400]), peer(FIN_CONT, &[1; 13])], vec![large.clone()]),
        ("6.1.1", vec![peer(FIN_TEXT, b"")], vec![text_came("")]),
        ("6.1.2", vec![peer(TEXT, b""), peer(CONTINUATION, b""), peer(FIN_CONT, b"")], vec![text_came("")]),
        ("6.2.1", vec![peer(FIN_TEXT, "Hellö-µ@ßöäüàá-UTF-8!!".as_bytes())], vec![text_came("Hellö-µ@ßöäüàá-UTF-8!!")]),
        ("6.2.2 cut in a letter", vec![peer(TEXT, &"µ".as_bytes()[..1]), peer(FIN_CONT, &"µ".as_bytes()[1..])], vec![text_came("µ")]),
        ("6.3.1 surrogate", vec![peer(FIN_TEXT, b"\xce\xba\xed\xa0\x80edited")], vec![utf8.clone()]),
        ("6.6.2 ends in a letter", vec![peer(FIN_TEXT, b"\xce\xba\xe1\xbd")], vec![utf8.clone()]),
        ("6.8.1 five bytes", vec![peer(FIN_TEXT, b"\xf8\x88\x80\x80\x80")], vec![utf8.clone()]),
        ("6.10.1 overlong", vec![peer(FIN_TEXT, b"\xc0\xaf")], vec![utf8.clone()]),
        ("6.21.1 BOM", vec![peer(FIN_TEXT, "\u{feff}".as_bytes())], vec![text_came("\u{feff}")]),
        ("7.1.1", vec![peer(FIN_TEXT, b"Hi"), peer(FIN_CLOSE, &1000u16.to_be_bytes())], vec![text_came("Hi"), Came::Close(Some(1000), String::new())]),
        ("7.1.2 two closes", vec![peer(FIN_CLOSE, b""), peer(FIN_CLOSE, b"")], vec![Came::Close(None, String::new())]),
        ("7.1.3 ping after close", vec![peer(FIN_CLOSE, b""), peer(FIN_PING, b"")], vec![Came::Close(None, String::new())]),
        ("7.1.5 close in a text", vec![peer(TEXT, b"a"), peer(FIN_CLOSE, b""), peer(FIN_CONT, b"b")], vec![Came::Close(None, String::new())]),
        ("7.3.1", vec![peer(FIN_CLOSE, b"")], vec![Came::Close(None, String::new())]),
        ("7.3.2 one byte", vec![peer(FIN_CLOSE, b"a")], vec![protocol.clone()]),
        ("7.3.5 longest reason", vec![peer(FIN_CLOSE, &[&1000u16.to_be_bytes()[..], &[b'*'; 123]].concat())], vec![Came::Close(Some(1000), star(123))]),
        ("7.3.6 too long", vec![peer(FIN_CLOSE, &[&1000u16.to_be_bytes()[..], &[b'*'; 124]].concat())], vec![protocol.clone()]),
        ("7.5.1 bad reason", vec![peer(FIN_CLOSE, b"\x03\xe8\xce\xba\xed\xa0\x80")], vec![utf8]),
        ("mask of the other end", vec![other(FIN_TEXT, b"Hi")], vec![protocol.clone()]),
        ("mask of the other end, empty", vec![peer(FIN_PING, b""), other(FIN_PING, b"")], vec![Came::Ping(vec![]), protocol]),
    ]
}

#[test]
fn the_cases_of_the_autobahn_suite_come_out_right_whole_and_cut() {
    check::<Client>(client, server);
    check::<Server>(server, client);
}

fn check<P: Peer + std::fmt::Debug>(peer: Make, other: Make) {
    for (name, frames, expected) in cases(peer, other) {
        let bytes = frames.concat();
        for piece in [1, 2, 3, 7, 64, bytes.len()] {
            assert_eq!(decode::<P>(&bytes, piece), expected, "case {name} in pieces of {piece}");
        }
    }
}

#[test]
fn close_codes_are_those_of_the_registry() {
    let close = |code: u16| decode::<Client>(&client(FIN_CLOSE, &code.to_be_bytes()), 99);
    for code in [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999] {
        assert_eq!(close(code), [Came::Close(Some(code), String::new())], "7.7, {code}");
    }
    for code in [0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999, 5000, 65535] {
        assert_eq!(close(code), [Came::Violation(1002)], "7.9, {code}");
    }
}

#[test]
fn a_length_that_is_a_lie_costs_nothing() {
    let mut decoder = Decoder::<Client>::default();
    let mut lie = vec![FIN_BINARY, MASKED | 127, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
    assert_eq!(decoder.feed(&mut lie, |_| {}), Err(Violation::TooLarge));
    assert_eq!((decoder.rest.capacity(), decoder.message.capacity()), (0, 0));
}

#[test]
fn what_the_server_sends_is_framed_by_the_book() {
    assert_eq!(&*text(b"{}"), b"\x81\x02{}");
    assert_eq!(text(&[b'x'; 126])[..4], [0x81, 126, 0, 126]);
    assert_eq!(text(&vec![b'x'; 65_536])[..10], [0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]);
    assert_eq!(binary_header(125).as_bytes(), [0x82, 125]);
    assert_eq!(binary_header(412).as_bytes(), [0x82, 126, 1, 156]);
    assert_eq!(&*close(4001, "logged_out"), b"\x88\x0c\x0f\xa1logged_out");
    assert_eq!(&*ping(), b"\x89\x00");
    assert_eq!(&*pong(b"a"), b"\x8a\x01a");
    assert_eq!(&*close_plain(), b"\x88\x00");
}

/// What a client has put, taken apart by a server.
fn put(frames: &[Frame<'_>], masks: u32) -> Vec<Came> {
    let mut out = Vec::new();
    for (number, frame) in (masks..).zip(frames) {
        frame.put(number.wrapping_mul(0x9e37_79b9).to_be_bytes(), &mut out);
    }
    decode::<Client>(&out, 999)
}

#[test]
fn what_a_client_sends_is_masked_and_comes_to_the_server() {
    let long = "x".repeat(300);
    let frames = [
        Frame::Text("{}"),
        Frame::Binary(&[7; 130]),
        Frame::Pong(b"abcde"),
        Frame::Text(&long),
        Frame::Close(Some(1000)),
    ];
    let binary = Came::Binary(vec![7; 130]);
    let close = Came::Close(Some(1000), String::new());
    assert_eq!(put(&frames, 1), [text_came("{}"), binary, Came::Pong, text_came(&long), close]);
    assert_eq!(put(&[Frame::Close(None)], 7), [Came::Close(None, String::new())]);
    let mut out = Vec::new();
    Frame::Text("Hello").put([0x37, 0xfa, 0x21, 0x3d], &mut out);
    // The example of RFC 6455, 5.7.
    assert_eq!(out, [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58]);
}

#[test]
fn a_key_is_answered_by_the_book() {
    // The example of RFC 6455, 1.3.
    assert_eq!(accept(b"dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

proptest! {
    #[test]
    fn garbage_never_panics_and_is_bounded(bytes in prop::collection::vec(any::<u8>(), 0..6000), piece in 1usize..300) {
        let mut decoder = Decoder::<Client>::default();
        for piece in bytes.chunks(piece) {
            if decoder.feed(&mut piece.to_vec(), |_| {}).is_err() {
                break;
            }
            prop_assert!(decoder.rest.len() + decoder.message.len() <= 2 * Client::TEXT_BYTES + HEADER_BYTES);
        }
    }

    #[test]
    fn cuts_change_nothing(
        messages in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..412), 1..6),
        piece in 1usize..500,
    ) {
        let bytes = |make: Make| messages.iter().flat_map(|one| make(FIN_BINARY, one)).collect::<Vec<_>>();
        let (to_server, to_client) = (bytes(client), bytes(server));
        let expected: Vec<_> = messages.into_iter().map(Came::Binary).collect();
        prop_assert_eq!(decode::<Client>(&to_server, piece), expected.clone());
        prop_assert_eq!(decode::<Server>(&to_client, piece), expected);
    }

    #[test]
    fn pieces_of_garbage_are_decoded_like_the_whole(
        first in prop::sample::select(vec![0x00u8, 0x01, 0x02, 0x80, 0x81, 0x82, 0x88, 0x89, 0x8a, 0xc1]),
        length in any::<u8>(),
        rest in prop::collection::vec(any::<u8>(), 0..600),
        piece in 1usize..300,
    ) {
        let bytes = [&[first, length], &rest[..]].concat();
        prop_assert_eq!(decode::<Client>(&bytes, piece), decode::<Client>(&bytes, bytes.len()));
        prop_assert_eq!(decode::<Server>(&bytes, piece), decode::<Server>(&bytes, bytes.len()));
    }
}

/// Feeds what one read brings; whether a part is kept, and whether all of it came with this read.
fn keeps(decoder: &mut Decoder<Client>, bytes: &[u8]) -> (bool, bool) {
    decoder.feed(&mut bytes.to_vec(), |_| {}).unwrap();
    let emptied = decoder.take_emptied();
    (decoder.is_unfinished(), decoder.is_unfinished() && emptied)
}

#[test]
fn what_is_kept_is_as_old_as_its_first_byte() {
    let (old, new) = ((true, false), (true, true));
    let frame = client(FIN_BINARY, &[7; 40]);
    let mut decoder = Decoder::<Client>::default();
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

    let mut decoder = Decoder::<Client>::default();
    assert_eq!(keeps(&mut decoder, &client(BINARY, &[7; 40])), new);
    assert_eq!(keeps(&mut decoder, &client(FIN_PING, b"I am here")), old, "a ping is no part of it");
    assert_eq!(keeps(&mut decoder, &client(CONTINUATION, b"")), old);
    assert_eq!(keeps(&mut decoder, &client(FIN_CONT, &[7; 40])), (false, false));
    // A message without a byte so far may get one.
    assert_eq!(keeps(&mut decoder, &client(BINARY, b"")), new);
}

#[test]
fn frames_are_counted_whatever_comes_of_them() {
    let mut decoder = Decoder::<Client>::default();
    let frames = [
        client(TEXT, b""),
        client(CONTINUATION, b""),
        client(FIN_PING, b""),
        client(FIN_PONG, b""),
        client(FIN_CONT, b"x"),
        client(FIN_BINARY, &[7; 40]),
    ];
    let mut bytes = frames.concat();
    let cut = bytes.len() - 3;
    decoder.feed(&mut bytes[..cut], |_| {}).unwrap();
    assert_eq!((decoder.take_frames(), decoder.take_frames()), (5, 0), "the last has not come whole");
    decoder.feed(&mut bytes[cut..], |_| {}).unwrap();
    assert_eq!(decoder.take_frames(), 1);
}
