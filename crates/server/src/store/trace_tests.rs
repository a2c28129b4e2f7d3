//! What stays in the files: of somebody who is erased, nothing.

use std::collections::HashMap;
use std::path::Path;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use tenfour_protocol::{ContactText, Description, Handle, UserId};

use super::{Day, Left, Minute, Sqlite, Store, StoredSession, User, Written};
use crate::auth::hash;
use crate::handle;

/// Somebody whose every piece is found nowhere else.
fn user(n: u32) -> User {
    let key = hash(&[b"key".as_slice(), &n.to_be_bytes()].concat());
    let name = data_encoding::HEXLOWER.encode(&hash(&n.to_be_bytes())[..10]);
    User {
        id: UserId::of_key(&key),
        key,
        handle: Handle::parse(&format!("h{name}")).unwrap(),
        // Rows of every length, so that pages are split and joined in many ways.
        description: Description::parse(&format!("d{name}{}", "x".repeat(n as usize * 37 % 110))).ok(),
        created: Day(n),
    }
}

fn sessions(user: &User) -> Vec<StoredSession> {
    let one =
        |n: u8| StoredSession { hash: hash(&[&user.key[..], &[n]].concat()), user: user.id, used: Day(1) };
    (0..1 + user.key[0] % 4).map(one).collect()
}

/// Of every length, beyond a page too.
fn messages(user: &User) -> Vec<ContactText> {
    let name = data_encoding::HEXLOWER.encode(&user.key[8..18]);
    let one =
        |n: u8| ContactText::parse(&format!("m{n}{name} {}", "🚚".repeat(usize::from(user.key[1]) * 7)));
    (0..user.key[2] % 3).map(|n| one(n).unwrap()).collect()
}

/// How many pieces of users the files of a folder have.
fn hits<'a>(folder: &Path, users: impl IntoIterator<Item = &'a User>) -> usize {
    let mut pieces: HashMap<[u8; 8], Vec<u8>> = HashMap::new();
    for user in users {
        let mut all = vec![user.id.as_bytes().to_vec(), user.key.to_vec(), user.handle.as_str().into()];
        all.extend(user.description.as_ref().map(|text| text.as_str().as_bytes()[..21].to_vec()));
        all.extend(sessions(user).iter().map(|session| session.hash.to_vec()));
        all.extend(messages(user).iter().map(|text| text.as_str().as_bytes()[..22].to_vec()));
        pieces.extend(all.into_iter().map(|piece| (piece[..8].try_into().unwrap(), piece)));
    }
    let files = std::fs::read_dir(folder).unwrap().map(|entry| std::fs::read(entry.unwrap().path()).unwrap());
    let found = |file: &[u8], at: usize| {
        let start: [u8; 8] = file[at..at + 8].try_into().expect("eight bytes");
        pieces.get(&start).is_some_and(|piece| file[at..].starts_with(piece))
    };
    files.map(|file| (0..file.len().saturating_sub(7)).filter(|at| found(&file, *at)).count()).sum()
}

fn come(store: &mut Sqlite, user: &User) {
    assert_eq!(store.insert_user(user).unwrap(), Written::Done);
    for session in sessions(user) {
        assert!(store.put_session(&session).unwrap().is_some());
    }
    for text in messages(user) {
        assert_eq!(store.put_message(&user.id, &text, Minute(1)).unwrap(), Left::Done);
    }
}

#[test]
fn rows_that_sqlite_moved_about_are_found_before_a_scrub_and_not_after() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tenfour.db");
    let mut store = Sqlite::open(&path).unwrap();
    store.begin().unwrap();
    (0..600).for_each(|n| come(&mut store, &user(n)));
    store.commit().unwrap();
    let leaving: Vec<User> = (0..600).filter(|n| n % 3 != 0).map(user).collect();
    store.begin().unwrap();
    for user in &leaving {
        assert!(store.erase(&user.id).unwrap());
    }
    store.commit().unwrap();
    assert!(
        hits(folder.path(), &leaving) > 0,
        "without a scrub they are found: otherwise this shows nothing"
    );
    store.scrub().unwrap();
    assert_eq!(hits(folder.path(), &leaving), 0);
    drop(store);
    assert_eq!(hits(folder.path(), &leaving), 0);
    // Those who stay are whole.
    let mut store = Sqlite::open(&path).unwrap();
    for n in (0..600).step_by(3) {
        assert_eq!(store.user(&user(n).id).unwrap(), Some(user(n)));
        assert_eq!(store.sessions_of(&user(n).id).unwrap().len(), sessions(&user(n)).len());
        let kept = store.messages_of(&user(n).id).unwrap();
        assert_eq!(kept.into_iter().map(|message| message.text).collect::<Vec<_>>(), messages(&user(n)));
    }
}

#[test]
fn an_earlier_handle_is_gone_from_the_files() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Sqlite::open(&folder.path().join("tenfour.db")).unwrap();
    store.begin().unwrap();
    (0..50).for_each(|n| come(&mut store, &user(n)));
    for n in 0..50 {
        let renamed = User { handle: user(n + 1000).handle, description: None, ..user(n) };
        assert_eq!(store.update_user(&renamed).unwrap(), Written::Done);
    }
    // What was written under it keeps it, for as long as it waits.
    assert!(store.expire_messages(Minute(2)).unwrap() > 20);
    store.commit().unwrap();
    store.scrub().unwrap();
    // Themselves they are still there.
    let earlier = |n| User { id: UserId::of_key(&[9; 32]), key: [9; 32], ..user(n) };
    assert_eq!(hits(folder.path(), &(0..50).map(earlier).collect::<Vec<_>>()), 0);
    for n in 0..50 {
        assert_eq!(store.user(&user(n).id).unwrap().unwrap().handle, user(n + 1000).handle);
    }
}

/// 200 users come, change and go in any order, with restarts in between; a power cut may keep the
/// write-ahead log. After each scrub nothing is left of those who are gone.
#[test]
fn whatever_happens_the_files_hold_who_is_there_and_nobody_else() {
    let steps = prop::collection::vec((0..200u32, 0..60u8), 300..500);
    TestRunner::new(Config { cases: 8, ..Config::default() })
        .run(&steps, |steps| {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("tenfour.db");
            let mut store = Sqlite::open(&path).unwrap();
            let mut here: HashMap<u32, User> = HashMap::new();
            let mut gone: HashMap<u32, User> = HashMap::new();
            store.begin().unwrap();
            for (n, what) in steps {
                match (what, here.get(&n).cloned()) {
                    (59, _) => {
                        store.commit().unwrap();
                        drop(store);
                        store = Sqlite::open(&path).unwrap();
                        store.begin().unwrap();
                    }
                    (_, None) => {
                        come(&mut store, &user(n));
                        here.insert(n, user(n));
                        gone.remove(&n);
                    }
                    (0..=29, Some(_)) => {
                        prop_assert!(store.erase(&user(n).id).unwrap());
                        here.remove(&n);
                        gone.insert(n, user(n));
                    }
                    (_, Some(before)) => {
                        let description = Description::parse(&"y".repeat(1 + n as usize % 140)).ok();
                        let after = User { description, ..before };
                        prop_assert_eq!(store.update_user(&after).unwrap(), Written::Done);
                        here.insert(n, after);
                    }
                }
            }
            store.commit().unwrap();
            store.scrub().unwrap();
            prop_assert_eq!(hits(folder.path(), gone.values()), 0);
            for user in here.values() {
                let stored = store.user(&user.id).unwrap();
                prop_assert_eq!(stored.as_ref(), Some(user));
            }
            Ok(())
        })
        .unwrap();
}

/// Two users with the same tag, and one with another.
fn same_tag() -> [User; 3] {
    let mut by_tag = HashMap::new();
    for n in 0..100_000 {
        if let Some(earlier) = by_tag.insert(user(n).id.tag(), n) {
            return [user(earlier), user(n), user(n + 1)];
        }
    }
    panic!("no two of them share a tag")
}

/// Every pair of the confusables of Unicode that can be handles.
#[test]
fn look_alikes_never_share_a_tag() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Sqlite::open(&folder.path().join("tenfour.db")).unwrap();
    let [one, twin, other] = same_tag();
    assert_eq!(one.id.tag(), twin.id.tag());
    for user in [&one, &twin, &other] {
        assert_eq!(store.insert_user(user).unwrap(), Written::Done);
    }
    let (mut pairs, mut folded) = (0, 0);
    store.begin().unwrap();
    for c in '\0'..=char::MAX {
        let text = c.to_string();
        let prototype: String = unicode_security::skeleton(&text).collect();
        let (Ok(shown), Ok(like)) = (handle::choose(&text), handle::choose(&prototype)) else { continue };
        if prototype == text {
            continue;
        }
        if handle::look(&shown) != handle::look(&like) {
            // One of the two is shown as something else by now, which does not look like the other.
            assert!(shown.as_str() != text || like.as_str() != prototype, "U+{:04X}", c as u32);
            folded += 1;
            continue;
        }
        let named = |user: &User, handle: &Handle| User { handle: handle.clone(), ..user.clone() };
        assert_eq!(store.update_user(&named(&one, &like)).unwrap(), Written::Done);
        assert_eq!(
            store.update_user(&named(&twin, &shown)).unwrap(),
            Written::Mistakable,
            "{text} {prototype}"
        );
        assert_eq!(store.update_user(&named(&other, &shown)).unwrap(), Written::Done);
        pairs += 1;
    }
    store.commit().unwrap();
    assert!(pairs > 8_000 && folded < 200, "{pairs} pairs, {folded} shown as something else");
    let newcomer = User { handle: store.user(&one.id).unwrap().unwrap().handle, ..twin.clone() };
    store.erase(&twin.id).unwrap();
    assert_eq!(store.insert_user(&newcomer).unwrap(), Written::Mistakable, "nor when they register");
}
