//! Every pair of characters that Unicode says can be mistaken for each other: two people whose
//! handles look alike have different tags, or one of them is refused.

use std::collections::{BTreeMap, BTreeSet};

use fastrand::Rng;
use tenfour_protocol::{Handle, UserId};
use tenfour_server::handle::{choose, look};
use tenfour_server::store::{Day, Sqlite, Store, User, Written};
use unicode_security::skeleton;

/// Handles of several characters that are compared.
const WORDS: usize = 5_000;

/// The confusables of Unicode (UTS 39) as far as they can be in a handle: each prototype with all that
/// is drawn like it.
fn classes() -> Vec<Vec<Handle>> {
    let as_it_is = |text: &str| choose(text).is_ok_and(|handle| handle.as_str() == text);
    let mut classes = BTreeMap::<String, BTreeSet<String>>::new();
    for c in ('\0'..=char::MAX).map(String::from).filter(|c| as_it_is(c)) {
        classes.entry(skeleton(&c).collect()).or_default().insert(c);
    }
    for (prototype, members) in &mut classes {
        if as_it_is(prototype) {
            members.insert(prototype.clone());
        }
    }
    let handles = |members: BTreeSet<String>| members.iter().map(|text| choose(text).unwrap()).collect();
    classes.into_values().filter(|members| members.len() > 1).map(handles).collect()
}

/// Somebody with this tag; `number` tells those of one tag apart.
fn user(tag: &str, number: u32, handle: &Handle) -> User {
    let id: UserId = format!("{tag}{number:028}").parse().unwrap();
    User { id, key: [0; 32], handle: handle.clone(), description: None, created: Day(1) }
}

struct Register {
    store: Sqlite,
    _folder: tempfile::TempDir,
}

impl Register {
    fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Sqlite::open(&folder.path().join("tenfour.db")).unwrap();
        // One transaction: what is asked is what the store says, not the disk.
        store.begin().unwrap();
        Self { store, _folder: folder }
    }

    /// One of the two is there: the other is refused with the same tag, by a registration and by a
    /// change, and taken with another.
    fn tells_apart(&mut self, one: &Handle, other: &Handle) {
        assert_eq!(look(one), look(other), "{} {}", one.as_str(), other.as_str());
        let (twin, stranger) = (user("k7f2", 2, other), user("k7f3", 2, other));
        let words = format!("{:?} {:?}", one.as_str(), other.as_str());
        assert_eq!(self.store.insert_user(&twin).unwrap(), Written::Mistakable, "{words}");
        assert_eq!(self.store.insert_user(&stranger).unwrap(), Written::Done, "{words}");
        self.store.erase(&stranger.id).unwrap();
        let unlike = choose("#").unwrap();
        let earlier = user("k7f2", 3, if look(&unlike) == look(one) { return } else { &unlike });
        self.store.insert_user(&earlier).unwrap();
        let changed = User { handle: other.clone(), ..earlier.clone() };
        assert_eq!(self.store.update_user(&changed).unwrap(), Written::Mistakable, "{words}");
        self.store.erase(&earlier.id).unwrap();
    }

    fn with(&mut self, one: &Handle, then: impl FnOnce(&mut Self)) {
        let user = user("k7f2", 1, one);
        assert_eq!(self.store.insert_user(&user).unwrap(), Written::Done);
        then(self);
        self.store.erase(&user.id).unwrap();
    }
}

#[test]
fn every_pair_of_the_confusables_has_different_tags_or_is_refused() {
    let (classes, mut register) = (classes(), Register::open());
    let mut pairs = 0;
    for class in &classes {
        for (at, one) in class.iter().enumerate() {
            register.with(one, |register| {
                for other in &class[at + 1..] {
                    register.tells_apart(one, other);
                    pairs += 1;
                }
            });
        }
    }
    let members: usize = classes.iter().map(Vec::len).sum();
    println!("{pairs} pairs of {members} characters that look like {} prototypes", classes.len());
    assert!(pairs > 10_000, "{pairs}");
}

#[test]
fn words_of_confusables_have_different_tags_or_are_refused() {
    let (classes, mut register, mut random) = (classes(), Register::open(), Rng::with_seed(5));
    let mut pairs = 0;
    while pairs < WORDS {
        let letters: Vec<_> = (0..random.usize(2..12)).map(|_| random.choice(&classes).unwrap()).collect();
        let mut word =
            || letters.iter().map(|class| random.choice(class.iter()).unwrap().as_str()).collect::<String>();
        let (one, other) = (word(), word());
        // Some letters join with their neighbours, and are then other letters.
        let as_it_is = |text: &String| choose(text).ok().filter(|handle| handle.as_str() == text);
        let (Some(one), Some(other)) = (as_it_is(&one), as_it_is(&other)) else { continue };
        if one == other {
            continue;
        }
        register.with(&one, |register| register.tells_apart(&one, &other));
        pairs += 1;
    }
    println!("{pairs} pairs of words made of them");
}
