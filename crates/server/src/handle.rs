//! Handles, as people choose them and as others see them.
//!
//! Handles are not unique, and looking like somebody else is not forbidden: the tag tells two
//! people apart. So the one thing that is refused is a handle that looks like that of another user
//! **with the same tag**.

use tenfour_protocol::Handle;
use tenfour_protocol::limits::{HANDLE_BYTES, HANDLE_GRAPHEMES};
use tenfour_protocol::person::TextError;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::canonical_combining_class;
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};
use unicode_security::skeleton;

/// A text that is this many times longer than a handle is refused unread.
const MAX_LENGTH_RATIO: usize = 4;

/// The handle that a text stands for, by the nickname profile of PRECIS (RFC 8266): spaces are
/// folded, compatible characters are replaced (NFKC), capitals stay, and what is invisible,
/// unassigned or for control only is refused. It differs in three points. Unicode is today's, not
/// that of the registry, which ends in 2013. Characters are judged after the folding, and selectors
/// between text and emoji are left out: keyboards send both. A character that is visible needs no
/// fitting neighbours.
pub fn choose(text: &str) -> Result<Handle, TextError> {
    if text.len() > MAX_LENGTH_RATIO * HANDLE_BYTES {
        return Err(TextError::TooLong(HANDLE_GRAPHEMES));
    }
    let plain: String = text.chars().filter(|c| !matches!(c, '\u{FE0E}' | '\u{FE0F}')).collect();
    let normal: String = plain.nfkc().collect();
    if let Some(refused) = normal.chars().find(|c| !is_taken(*c)) {
        return Err(TextError::Disallowed(refused.into()));
    }
    let words: Vec<&str> = normal.split(is_space).filter(|word| !word.is_empty()).collect();
    // Words may join across the space between them, so the folding runs a second time.
    Handle::parse(&words.join(" ").nfkc().collect::<String>())
}

/// The `FreeformClass` of PRECIS (RFC 8264, 4.3), for characters that NFKC leaves as they are.
fn is_taken(c: char) -> bool {
    match c {
        // Draws nothing, or changes what is before it.
        '\u{034F}' | '\u{115F}'..='\u{1160}' | '\u{17B4}'..='\u{17B5}' | '\u{180B}'..='\u{180F}' => false,
        '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FFA0}' | '\u{E0100}'..='\u{E01EF}' => false,
        // Letters of syllables that were not put together.
        '\u{1100}'..='\u{11FF}' | '\u{A960}'..='\u{A97C}' | '\u{D7B0}'..='\u{D7FB}' => false,
        // Exceptions of RFC 5892: they stretch or repeat what is beside them.
        '\u{0640}' | '\u{07FA}' | '\u{302E}'..='\u{302F}' | '\u{3031}'..='\u{3035}' | '\u{303B}' => false,
        _ => !matches!(
            c.general_category(),
            GeneralCategory::Control
                | GeneralCategory::Format
                | GeneralCategory::LineSeparator
                | GeneralCategory::ParagraphSeparator
                | GeneralCategory::PrivateUse
                | GeneralCategory::Surrogate
                | GeneralCategory::Unassigned
        ),
    }
}

fn is_space(c: char) -> bool {
    c.general_category() == GeneralCategory::SpaceSeparator
}

/// What people see of a handle: two with the same look can be mistaken for each other. By the
/// confusables of Unicode (UTS 39), whatever the capitals, and whatever the order of marks.
pub fn look(handle: &Handle) -> String {
    drawn(&drawn(handle.as_str()).to_lowercase())
}

/// The skeleton of each character, then the marks on each letter in one order. That of the whole text
/// would depend on more than what is seen: it is put in order before it is drawn, and a character
/// may belong elsewhere than the one it looks like.
fn drawn(text: &str) -> String {
    let is_mark = |c: &char| canonical_combining_class(*c) != 0;
    let mut seen: Vec<char> = Vec::new();
    for c in text.chars() {
        seen.extend(skeleton(c.encode_utf8(&mut [0; 4])));
    }
    for letter in seen.chunk_by_mut(|_, next| is_mark(next)) {
        let marks = usize::from(!is_mark(&letter[0]));
        letter[marks..].sort_unstable();
    }
    seen.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn people_of_every_script_have_a_handle() {
        for name in [
            "Roadrunner",
            "Željko",
            "Чистач",
            "Ελένη",
            "Գարեգին",
            "გიორგი",
            "יוסף",
            "ياسمين",
            "ߒߞߏ",
            "प्रिया",
            "বিমল",
            "ਗੁਰਮੀਤ",
            "ગીતા",
            "தமிழ்",
            "తెలుగు",
            "ಕನ್ನಡ",
            "മലയാളം",
            "සිංහල",
            "สมชาย",
            "ລາວ",
            "བོད་",
            "မြန်မာ",
            "አማርኛ",
            "ᏣᎳᎩ",
            "ᐃᓄᒃ",
            "ខ្មែរ",
            "ᠮᠣᠩᠭᠣᠯ",
            "山田",
            "ひろし",
            "カナ",
            "김철수",
            "ⵜⵉⴼⵉⵏⴰⵖ",
            "ꦗꦮ",
            "A1 🚚",
            "🇷🇸 Ana",
            "🤘🏽",
            "O'Neil",
            "Ana-Marija",
        ] {
            let chosen = choose(name).unwrap_or_else(|error| panic!("{name} {error}"));
            assert_eq!(chosen.as_str(), name);
        }
    }

    #[test]
    fn what_keyboards_add_is_folded() {
        for (text, handle) in [
            ("  Papa   Tango ", "Papa Tango"),
            ("Papa\u{A0}Tango", "Papa Tango"),
            ("Ｐａｐａ", "Papa"),
            ("Zoe\u{308}", "Zoë"),
            ("ﬁne", "fine"),
            ("❤\u{FE0F} Ann", "❤ Ann"),
        ] {
            assert_eq!(choose(text).unwrap().as_str(), handle);
        }
    }

    #[test]
    fn what_hides_or_turns_the_writing_is_refused() {
        for text in [
            "Road\u{200B}runner",
            "Road\u{200D}runner",
            "Road\u{2060}runner",
            "Road\u{FEFF}runner",
            "A\u{202E}B",
            "A\u{2066}B",
            "A\u{200F}B",
            "A\u{AD}B",
            "A\nB",
            "A\tB",
            "A\u{7F}B",
            "A\u{85}B",
            "A\u{2028}B",
            "\u{3164}",
            "A\u{E0041}B",
            "A\u{E000}B",
            "A\u{FFFE}B",
            "A\u{34F}B",
            "A\u{115F}B",
            "\u{10FFFF}",
        ] {
            assert!(choose(text).is_err(), "{text:?} passed");
        }
        for nothing in ["", " ", "\u{3000}\u{A0} ", "\u{FE0F}"] {
            assert_eq!(choose(nothing), Err(TextError::Empty), "{nothing:?}");
        }
    }

    #[test]
    fn ten_thousand_characters_are_too_long_whatever_they_are() {
        for one in ["x", " ", "山", "\u{301}", "🤘", "\u{FDFA}"] {
            assert_eq!(choose(&one.repeat(10_000)), Err(TextError::TooLong(HANDLE_GRAPHEMES)), "{one:?}");
        }
        // Short, and long when it is written out: 18 letters each.
        assert_eq!(choose(&"\u{FDFA}".repeat(24)), Err(TextError::TooLong(HANDLE_GRAPHEMES)));
    }

    /// Each character that can be a handle is one for good: what was taken once is taken again.
    #[test]
    fn every_character_is_refused_or_folded_to_the_end() {
        let mut taken = 0;
        for c in '\0'..=char::MAX {
            let Ok(handle) = choose(&c.to_string()) else { continue };
            assert_eq!(choose(handle.as_str()).as_ref(), Ok(&handle), "U+{:04X}", c as u32);
            assert!(!look(&handle).is_empty());
            taken += 1;
        }
        assert!(taken > 100_000, "{taken}");
    }

    #[test]
    fn look_alikes_look_alike() {
        for (one, other) in [
            ("Roadrunner", "ROADRUNNER"),
            ("Roadrunner", "Rоadrunnеr"),
            ("paypal", "раураl"),
            ("modern", "modem"),
            ("Il0", "l1O"),
            ("Anna", "𝐀𝐧𝐧𝐚"),
            ("Zoë", "Zoe\u{308}"),
            // Marks and a dash that belong elsewhere than those that look like them.
            ("i\u{314}\u{64B}", "i\u{314}\u{7A7}"),
            ("ἵ\u{1BF3}", "i\u{314}\u{301}\u{2012}"),
        ] {
            let (one, other) = (choose(one).unwrap(), choose(other).unwrap());
            assert_eq!(look(&one), look(&other), "{one} {other}");
        }
        assert_ne!(look(&choose("Coyote").unwrap()), look(&choose("Roadrunner").unwrap()));
    }

    proptest! {
        #[test]
        fn any_text_is_refused_or_folded_to_the_end(text in "\\PC{0,40}|.{0,40}") {
            if let Ok(handle) = choose(&text) {
                prop_assert_eq!(choose(handle.as_str()), Ok(handle.clone()));
                prop_assert_eq!(Handle::parse(handle.as_str()), Ok(handle));
            }
        }
    }
}
