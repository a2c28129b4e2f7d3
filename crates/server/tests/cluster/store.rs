//! What every store does: the same tests for the one of a node and the one of a cluster.

use tenfour_protocol::limits::CONTACTS_PER_USER;
use tenfour_protocol::{ContactText, Description, Handle, UserId};
use tenfour_server::store::{
    Day, JetStream, Left, Minute, Sqlite, Store, StoredMessage, StoredSession, User, Written,
};

use crate::nats::NatsServer;

/// Somebody with a key made of a number.
pub(crate) fn user(n: u32) -> User {
    let mut key = [7; 32];
    key[..4].copy_from_slice(&n.to_be_bytes());
    User {
        id: UserId::of_key(&key),
        key,
        handle: Handle::parse("Roadrunner").unwrap(),
        description: Description::parse("night shift").ok(),
        created: Day(20_000),
    }
}

/// Two users whose tag is the same.
pub(crate) fn same_tag() -> (User, User) {
    let mut by_tag = std::collections::HashMap::new();
    (0..).find_map(|n| by_tag.insert(user(n).id.tag(), n).map(|earlier| (user(earlier), user(n)))).unwrap()
}

pub(crate) fn session(user: &User, n: u8) -> StoredSession {
    StoredSession { hash: [n; 32], user: user.id, used: Day(20_001) }
}

pub(crate) fn text(text: &str) -> ContactText {
    ContactText::parse(text).unwrap()
}

/// A store, and whatever has to stand as long as it does.
trait Place: Looked {
    fn take() -> Self;
    fn open(&self) -> Box<dyn Store>;
}

struct File(tempfile::TempDir);

impl Place for File {
    fn take() -> Self {
        Self(tempfile::tempdir().unwrap())
    }
    fn open(&self) -> Box<dyn Store> {
        Box::new(Sqlite::open(&self.0.path().join("tenfour.db")).unwrap())
    }
}

impl Place for NatsServer {
    fn take() -> Self {
        Self::start()
    }
    fn open(&self) -> Box<dyn Store> {
        Box::new(JetStream::open(&self.nats("alpha")).unwrap().0)
    }
}

macro_rules! contract {
    ($($(#[$doc:meta])* fn $name:ident($place:ident: &impl Place) $body:block)*) => {
        $($(#[$doc])* fn $name($place: &impl Place) $body)*
        mod sqlite {
            $(#[test] fn $name() { super::$name(&<super::File as super::Place>::take()); })*
        }
        mod jetstream {
            $(#[test] fn $name() { super::$name(&<super::NatsServer as super::Place>::take()); })*
        }
    };
}

contract! {
    fn users_and_sessions_survive_a_reopening(place: &impl Place) {
        let mut store = place.open();
        assert_eq!(store.insert_user(&user(1)).unwrap(), Written::Done);
        assert_eq!(store.insert_user(&user(1)).unwrap(), Written::Known, "a key registers once");
        assert!(store.put_session(&session(&user(1), 3)).unwrap().is_some());
        drop(store);
        let mut store = place.open();
        assert_eq!(store.user(&user(1).id).unwrap(), Some(user(1)));
        assert_eq!(store.user(&user(2).id).unwrap(), None);
        assert_eq!(store.sessions().unwrap(), [session(&user(1), 3)]);
        assert_eq!(store.sessions_of(&user(1).id).unwrap(), [session(&user(1), 3)]);
    }

    fn sessions_are_those_of_users_and_end_one_by_one_or_all(place: &impl Place) {
        let mut store = place.open();
        assert_eq!(store.put_session(&session(&user(1), 1)).unwrap(), None, "nobody has it");
        store.insert_user(&user(1)).unwrap();
        store.insert_user(&user(2)).unwrap();
        for n in 1..=3 {
            store.put_session(&session(&user(1), n)).unwrap();
        }
        store.put_session(&session(&user(2), 9)).unwrap();
        let later = StoredSession { used: Day(20_007), ..session(&user(1), 2) };
        store.put_session(&later).unwrap();
        store.remove_session(&user(1).id, &[1; 32]).unwrap();
        store.remove_session(&user(1).id, &[1; 32]).unwrap();
        let mut own = store.sessions_of(&user(1).id).unwrap();
        own.sort_by_key(|session| session.hash);
        assert_eq!(own, [later, session(&user(1), 3)]);
        store.remove_session(&user(1).id, &[9; 32]).unwrap();
        store.remove_sessions(&user(1).id).unwrap();
        assert_eq!(store.sessions().unwrap(), [session(&user(2), 9)], "of somebody else");
    }

    fn changes_are_read_at_once(place: &impl Place) {
        let mut store = place.open();
        store.insert_user(&user(1)).unwrap();
        let renamed =
            User { handle: Handle::parse("Coyote").unwrap(), description: None, ..user(1) };
        assert_eq!(store.update_user(&renamed).unwrap(), Written::Done);
        assert_eq!(store.user(&user(1).id).unwrap(), Some(renamed.clone()));
        assert_eq!(store.update_user(&renamed).unwrap(), Written::Done, "nothing to change is fine");
        assert_eq!(store.update_user(&user(2)).unwrap(), Written::Unknown);
    }

    fn nobody_can_be_mistaken_for_another(place: &impl Place) {
        let mut store = place.open();
        let (one, twin) = same_tag();
        assert_eq!(store.insert_user(&one).unwrap(), Written::Done);
        let like = User { handle: Handle::parse("ROADRUNNER").unwrap(), ..twin.clone() };
        assert_eq!(store.insert_user(&like).unwrap(), Written::Mistakable);
        assert_eq!(store.user(&twin.id).unwrap(), None);
        let other = User { handle: Handle::parse("Coyote").unwrap(), ..twin };
        assert_eq!(store.insert_user(&other).unwrap(), Written::Done);
        assert_eq!(store.update_user(&like).unwrap(), Written::Mistakable);
        assert_eq!(store.user(&other.id).unwrap(), Some(other.clone()));
        assert!(store.erase(&one.id).unwrap());
        assert_eq!(store.update_user(&like).unwrap(), Written::Done, "who is gone is in nobody's way");
    }

    fn an_erased_user_is_gone_with_everything(place: &impl Place) {
        let mut store = place.open();
        store.insert_user(&user(1)).unwrap();
        store.insert_user(&user(2)).unwrap();
        store.put_session(&session(&user(1), 1)).unwrap();
        for id in [user(1).id, user(2).id] {
            assert_eq!(store.put_message(&id, &text("Hello"), Minute(1)).unwrap(), Left::Done);
        }
        assert!(store.erase(&user(1).id).unwrap());
        assert!(!store.erase(&user(1).id).unwrap(), "twice is as good as once");
        store.scrub().unwrap();
        assert_eq!(store.user(&user(1).id).unwrap(), None);
        assert_eq!(store.sessions().unwrap(), []);
        assert_eq!(store.messages_of(&user(1).id).unwrap(), []);
        assert_eq!(store.messages().unwrap().len(), 1, "those of others stay");
        assert_eq!(store.put_session(&session(&user(1), 1)).unwrap(), None);
        assert_eq!(store.put_message(&user(1).id, &text("x"), Minute(1)).unwrap(), Left::Unknown);
        assert_eq!(store.insert_user(&user(1)).unwrap(), Written::Done, "the key may register again");
        assert_eq!(store.sessions_of(&user(1).id).unwrap(), [], "and has nothing of before");
    }

    fn a_message_has_the_handle_of_its_moment_and_a_number_of_its_own(place: &impl Place) {
        let mut store = place.open();
        store.insert_user(&user(1)).unwrap();
        assert_eq!(store.put_message(&user(1).id, &text("one"), Minute(1)).unwrap(), Left::Done);
        let later = User { handle: Handle::parse("Coyote").unwrap(), ..user(1) };
        store.update_user(&later).unwrap();
        assert_eq!(store.put_message(&user(1).id, &text("two"), Minute(2)).unwrap(), Left::Done);
        let message = |id, handle: &Handle, words: &str| StoredMessage {
            id,
            user: user(1).id,
            handle: handle.clone(),
            sent: Minute(id),
            text: text(words),
        };
        let (one, two) = (message(1, &user(1).handle, "one"), message(2, &later.handle, "two"));
        assert_eq!(store.messages_of(&user(1).id).unwrap(), [one, two]);
        store.remove_messages(&[2, 9]).unwrap();
        assert_eq!(store.put_message(&user(1).id, &text("three"), Minute(3)).unwrap(), Left::Done);
        let kept: Vec<_> = store.messages().unwrap().iter().map(|message| message.id).collect();
        assert_eq!(kept, [1, 3], "2 is never somebody else's");
        assert_eq!(store.expire_messages(Minute(3)).unwrap(), 1);
        assert_eq!(store.messages().unwrap().len(), 1);
        assert_eq!(store.put_message(&user(2).id, &text("x"), Minute(1)).unwrap(), Left::Unknown);
    }

    fn there_is_room_for_ten_messages_of_a_user(place: &impl Place) {
        let mut store = place.open();
        store.insert_user(&user(1)).unwrap();
        for _ in 0..CONTACTS_PER_USER {
            assert_eq!(store.put_message(&user(1).id, &text("x"), Minute(1)).unwrap(), Left::Done);
        }
        assert_eq!(store.put_message(&user(1).id, &text("x"), Minute(1)).unwrap(), Left::TooMany);
        store.remove_messages(&[1]).unwrap();
        assert_eq!(store.put_message(&user(1).id, &text("x"), Minute(1)).unwrap(), Left::Done);
    }

    fn what_was_erased_or_replaced_is_found_in_no_file(place: &impl Place) {
        let mut store = place.open();
        let marked = |n: u32, handle: &str| User { handle: Handle::parse(handle).unwrap(), ..user(n) };
        for n in 0..40 {
            store.begin().unwrap();
            store.insert_user(&marked(n, &format!("Quail{n}ofXylo"))).unwrap();
            store.put_session(&session(&user(n), 1)).unwrap();
            store.put_message(&user(n).id, &text("Zebra of Xylo"), Minute(1)).unwrap();
            store.commit().unwrap();
        }
        store.begin().unwrap();
        for n in 0..40 {
            if n % 2 == 0 {
                assert!(store.erase(&user(n).id).unwrap());
            } else {
                assert_eq!(store.update_user(&marked(n, "Coyote")).unwrap(), Written::Done);
            }
        }
        store.expire_messages(Minute(9)).unwrap();
        store.commit().unwrap();
        store.scrub().unwrap();
        assert_eq!(place.found(b"ofXylo") + place.found(b"Zebra of Xylo"), 0);
        let stays = place.found(b"Coyote");
        assert!(place.is_sealed() || stays > 0, "those who stay are looked for in the same way");
        assert!(!place.is_sealed() || stays == 0, "on the disk of NATS nobody can be read");
    }
}

pub(crate) trait Looked {
    fn folder(&self) -> std::path::PathBuf;
    /// Whether what is in the files is sealed.
    fn is_sealed(&self) -> bool;
    /// How often the files have these bytes.
    fn found(&self, bytes: &[u8]) -> usize {
        let mut folders = vec![self.folder()];
        let mut count = 0;
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
                if entry.file_type().unwrap().is_dir() {
                    folders.push(entry.path());
                } else {
                    // JetStream removes files while it runs.
                    let file = std::fs::read(entry.path()).unwrap_or_default();
                    count += file.windows(bytes.len()).filter(|window| *window == bytes).count();
                }
            }
        }
        count
    }
}

impl Looked for File {
    fn folder(&self) -> std::path::PathBuf {
        self.0.path().to_owned()
    }
    fn is_sealed(&self) -> bool {
        false
    }
}

impl Looked for NatsServer {
    fn folder(&self) -> std::path::PathBuf {
        self.disk()
    }
    fn is_sealed(&self) -> bool {
        true
    }
}
