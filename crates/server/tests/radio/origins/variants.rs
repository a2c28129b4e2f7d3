//! Origins that are nearly a server's own, or nobody's.

use std::collections::BTreeSet;

use fastrand::Rng;

/// An origin in pieces.
#[derive(Clone)]
pub(super) struct Parts {
    pub(super) scheme: &'static str,
    pub(super) host: String,
    /// With its colon, or empty.
    pub(super) port: String,
}

impl Parts {
    pub(super) fn text(&self) -> String {
        format!("{}://{}{}", self.scheme, self.host, self.port)
    }
}

/// Distinct, and none of them an own origin when the spaces around it are taken off.
pub(super) fn variants(own: &[Parts], number: usize) -> Vec<(&'static str, Vec<String>)> {
    let mut random = Rng::with_seed(3);
    let texts: Vec<String> = own.iter().map(Parts::text).collect();
    let mut seen = BTreeSet::new();
    let mut variants = Vec::new();
    for (name, make) in KINDS.iter().cycle() {
        if variants.len() == number {
            return variants;
        }
        let base = random.choice(own).expect("some are own");
        let origins = make(base, &mut random);
        let is_own = |origin: &String| texts.iter().any(|own| own == origin.trim_matches([' ', '\t']));
        let fresh = origins.len() > 1 || !origins.iter().all(is_own);
        if fresh && seen.insert(origins.clone()) {
            variants.push((*name, origins));
        }
    }
    unreachable!("a cycle has no end")
}

/// How a variant is made of an own origin: the values of its `Origin` headers.
type Make = fn(&Parts, &mut Rng) -> Vec<String>;

const KINDS: [(&str, Make); 16] = [
    ("scheme", scheme),
    ("case", case),
    ("port", port),
    ("suffix", suffix),
    ("prefix", prefix),
    ("trailing dot", |own, random| one(own, |own| own.host += &".".repeat(random.usize(1..9)))),
    ("userinfo", userinfo),
    ("path", path),
    ("whitespace", whitespace),
    ("percent", percent),
    ("IDN", look_alike),
    ("invisible", invisible),
    ("IPv4 forms", ipv4),
    ("IPv6 forms", ipv6),
    ("nobody", nobody),
    ("two origins", two),
];

fn one(own: &Parts, change: impl FnOnce(&mut Parts)) -> Vec<String> {
    let mut other = own.clone();
    change(&mut other);
    vec![other.text()]
}

fn pick<'a>(random: &mut Rng, from: &[&'a str]) -> &'a str {
    random.choice(from).expect("there is one")
}

fn label(random: &mut Rng) -> String {
    (0..random.usize(3..9)).map(|_| random.lowercase()).collect()
}

fn scheme(own: &Parts, random: &mut Rng) -> Vec<String> {
    let rest = format!("{}{}", own.host, own.port);
    let other = if own.scheme == "http" { "https" } else { "http" };
    let schemes = ["ws", "wss", "ftp", "file", "tenfour", "chrome-extension", "moz-extension", "blob:http"];
    vec![match random.u8(..6) {
        0 => format!("{other}://{rest}"),
        1 => format!("{}://{rest}", pick(random, &schemes)),
        2 => {
            format!("{}{}{rest}", own.scheme, pick(random, &[":", ":/", ":///", "//", "", ":\\\\", "://://"]))
        }
        3 => format!("{}{rest}", pick(random, &["", "//", "://", ":"])),
        4 => format!("{}{}://{rest}", own.scheme, label(random)),
        _ => format!("{}:{}", pick(random, &["data", "about", "javascript", "blob", "urn"]), own.text()),
    }]
}

fn case(own: &Parts, random: &mut Rng) -> Vec<String> {
    vec![own.text().chars().map(|c| if random.bool() { c.to_ascii_uppercase() } else { c }).collect()]
}

fn port(own: &Parts, random: &mut Rng) -> Vec<String> {
    let number = own.port.trim_start_matches(':').to_owned();
    one(own, |own| {
        own.port = match random.u8(..7) {
            0 => format!(":{}", random.u16(..)),
            1 => format!(":{}{number}", "0".repeat(random.usize(1..5))),
            2 => format!(":{number}{}", random.u8(..10)),
            3 => format!("{}:", own.port),
            4 => format!("{}:{}", own.port, random.u16(..)),
            5 => format!(":{}", pick(random, &["", "80", "443", "http", "-1", "+80", "0x50", "99999"])),
            _ => String::new(),
        };
    })
}

fn suffix(own: &Parts, random: &mut Rng) -> Vec<String> {
    let word = label(random);
    one(own, |own| {
        own.host += &match random.u8(..4) {
            0 => format!(".{word}.example"),
            1 => word,
            2 => format!("-{word}.example"),
            _ => format!(".{word}"),
        }
    })
}

fn prefix(own: &Parts, random: &mut Rng) -> Vec<String> {
    let word = label(random);
    one(own, |own| {
        own.host = match random.u8(..4) {
            0 => format!("{word}.{}", own.host),
            1 => format!("{word}{}", own.host),
            2 => format!("{word}-{}", own.host),
            _ => format!(".{}", own.host),
        }
    })
}

fn userinfo(own: &Parts, random: &mut Rng) -> Vec<String> {
    let word = label(random);
    vec![match random.u8(..4) {
        0 => format!("{}://{word}@{}{}", own.scheme, own.host, own.port),
        1 => format!("{}://{word}:{word}@{}{}", own.scheme, own.host, own.port),
        2 => format!("{}@{word}.example", own.text()),
        _ => format!("{}://@{}{}", own.scheme, own.host, own.port),
    }]
}

fn path(own: &Parts, random: &mut Rng) -> Vec<String> {
    let word = label(random);
    let after =
        pick(random, &["/", "/.", "//", "?", "#", "/?", "\\", ";", "/..;/", "&", "/c/19#", "?x=", "%2f"]);
    vec![format!("{}{after}{}", own.text(), if random.bool() { word } else { String::new() })]
}

fn whitespace(own: &Parts, random: &mut Rng) -> Vec<String> {
    // Spaces and tabs around a value belong to the header, not to the origin.
    let spaces = [" ", "\t", "\u{A0}", "\u{3000}", "\u{2003}", "\u{85}", "\u{B}", "\u{C}"];
    insert(own, pick(random, &spaces), random)
}

fn percent(own: &Parts, random: &mut Rng) -> Vec<String> {
    let text = own.text();
    let at = random.usize(..text.len());
    let code = format!("%{:02x}", text.as_bytes()[at]);
    vec![match random.u8(..3) {
        0 => format!("{}{code}{}", &text[..at], &text[at + 1..]),
        1 => format!("{}%25{}{}", &text[..at], &code[1..], &text[at + 1..]),
        _ => format!("{}{}", text, pick(random, &["%00", "%20", "%0d%0a", "%09", "%2e", "%e3%80%82"])),
    }]
}

fn look_alike(own: &Parts, random: &mut Rng) -> Vec<String> {
    let alike = |c: char| match c {
        'a' => 'а',
        'e' => 'е',
        'o' => 'о',
        'p' => 'р',
        'x' => 'х',
        'i' => 'і',
        'l' => 'ⅼ',
        '.' => '。',
        '0'..='9' => char::from_u32('０' as u32 + c as u32 - '0' as u32).expect("a digit"),
        ':' => '：',
        '/' => '⁄',
        other => other,
    };
    let text = own.text();
    if random.u8(..4) == 0 {
        return one(own, |own| own.host = format!("xn--{}-{}", own.host, label(random)));
    }
    vec![text.chars().map(|c| if random.bool() { alike(c) } else { c }).collect()]
}

fn invisible(own: &Parts, random: &mut Rng) -> Vec<String> {
    let hidden = ["\u{200B}", "\u{200D}", "\u{FEFF}", "\u{AD}", "\u{202E}", "\u{2060}", "\u{301}", "\0"];
    insert(own, pick(random, &hidden), random)
}

fn insert(own: &Parts, what: &str, random: &mut Rng) -> Vec<String> {
    let mut text = own.text();
    text.insert_str(random.usize(..=text.len()), what);
    vec![text]
}

fn ipv4(own: &Parts, random: &mut Rng) -> Vec<String> {
    let forms = [
        "0x7f.0.0.1",
        "0177.0.0.1",
        "2130706433",
        "0x7f000001",
        "017700000001",
        "127.1",
        "127.0.1",
        "127.000.000.001",
        "0.0.0.0",
        "127.0.0.1.",
        "127.0.0.01",
        "127.0.0.0x1",
        "127.0.0.1.nip.example",
    ];
    let host = match random.u8(..3) {
        0 => format!("127.{}.{}.{}", random.u8(..), random.u8(..), random.u8(2..)),
        1 => format!("{}.{}.{}.{}", random.u8(..), random.u8(..), random.u8(..), random.u8(..)),
        _ => pick(random, &forms).to_owned(),
    };
    one(own, |own| own.host = host)
}

fn ipv6(own: &Parts, random: &mut Rng) -> Vec<String> {
    let forms = [
        "[0:0:0:0:0:0:0:1]",
        "[::0001]",
        "[0::1]",
        "::1",
        "[::1%25lo]",
        "[::1%lo]",
        "[::ffff:127.0.0.1]",
        "[::127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::]",
        "[0000:0000:0000:0000:0000:0000:0000:0001]",
        "[::1",
        "::1]",
        "[[::1]]",
        "[ ::1 ]",
        "[::0:1]",
    ];
    let host = match random.bool() {
        true => format!("[::{:x}]", random.u16(2..)),
        false => pick(random, &forms).to_owned(),
    };
    one(own, |own| own.host = host)
}

fn nobody(own: &Parts, random: &mut Rng) -> Vec<String> {
    let words = [
        "null",
        "NULL",
        "Null",
        "",
        "undefined",
        "none",
        "*",
        "?",
        "self",
        "'self'",
        "true",
        "0",
        "about:blank",
        "about:srcdoc",
        "file://",
        "data:text/html,x",
        "http://",
        "https://",
        "://",
        ".",
        "\"\"",
        "[]",
        "{}",
    ];
    vec![match random.u8(..4) {
        0 => format!("https://{}.example", label(random)),
        1 => format!("{}://{}", own.scheme, label(random)),
        2 => label(random),
        _ => pick(random, &words).to_owned(),
    }]
}

fn two(own: &Parts, random: &mut Rng) -> Vec<String> {
    let (own, other) = (own.text(), format!("https://{}.example", label(random)));
    match random.u8(..8) {
        0 => vec![own, other],
        1 => vec![other, own],
        2 => vec![own.clone(), own],
        3 => vec![own, "null".into()],
        4 => vec![format!("{own}, {other}")],
        5 => vec![format!("{other} {own}")],
        6 => vec![format!("{own},{own}")],
        _ => vec![format!("{own} {other}")],
    }
}
