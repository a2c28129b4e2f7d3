//! The table of messages to the operator.

use rusqlite::{OptionalExtension, Row, params};
use tenfour_protocol::limits::{CONTACTS, CONTACTS_PER_USER};
use tenfour_protocol::{ContactText, Handle, UserId};

use super::sqlite::foreign;
use super::{Left, Minute, Sqlite, StoreError, StoredMessage};

/// By the index; a user has few.
const OF_ONE: &str = "
    SELECT message.id, user.key, message.handle, message.sent, message.text
    FROM message JOIN user ON user.id = message.user WHERE message.user = ?1 ORDER BY message.id";
/// The oldest one of whoever has most of them, if that is more than one.
const MAKE_ROOM: &str = "
    DELETE FROM message WHERE id = (
        SELECT min(id) FROM message GROUP BY user HAVING count(*) > 1 ORDER BY count(*) DESC, min(id) LIMIT 1
    )";
const OF_ALL: &str = "
    SELECT message.id, user.key, message.handle, message.sent, message.text
    FROM message JOIN user ON user.id = message.user ORDER BY message.id";

impl Sqlite {
    /// Leaves a message, if there is room. The handle is read in the same step, so that it is the one
    /// that others see at this moment.
    pub(super) fn leave(&self, user: &UserId, text: &ContactText, sent: Minute) -> Result<Left, StoreError> {
        let count = |sql: &str, parameters: &[&dyn rusqlite::ToSql]| {
            let mut statement = self.db.prepare_cached(sql)?;
            statement.query_row(parameters, |row| row.get::<_, u32>(0))
        };
        let own = count("SELECT count(*) FROM message WHERE user = ?1", &[user.as_bytes()]);
        let own = own.map_err(|error| self.explain(&error))? as usize;
        if own >= CONTACTS_PER_USER {
            return Ok(Left::TooMany);
        }
        let all = count("SELECT count(*) FROM message", &[]);
        let is_full = all.map_err(|error| self.explain(&error))? as usize >= CONTACTS;
        if is_full && (own > 0 || self.run(MAKE_ROOM, [])? == 0) {
            return Ok(Left::Full);
        }
        let rows = self.run(
            "INSERT INTO message (user, handle, sent, text) SELECT id, handle, ?2, ?3 FROM user WHERE id = ?1",
            params![user.as_bytes(), sent.0, text.as_str()],
        )?;
        Ok(if rows == 1 { Left::Done } else { Left::Unknown })
    }

    /// The messages of a user, or all of them; the oldest first.
    pub(super) fn read_messages(&self, of: Option<&UserId>) -> Result<Vec<StoredMessage>, StoreError> {
        let read = || {
            if !self.has_messages()? {
                return Ok(Vec::new());
            }
            let mut statement = self.db.prepare_cached(if of.is_some() { OF_ONE } else { OF_ALL })?;
            let rows = match of {
                Some(user) => statement.query_map([user.as_bytes()], message_of)?,
                None => statement.query_map([], message_of)?,
            };
            rows.collect::<rusqlite::Result<Vec<_>>>()
        };
        read().map_err(|error| self.explain(&error))
    }

    /// False in a file of an older schema that no server has opened since.
    fn has_messages(&self) -> rusqlite::Result<bool> {
        let table = "SELECT 1 FROM sqlite_schema WHERE name = 'message'";
        Ok(self.db.query_row(table, [], |_| Ok(())).optional()?.is_some())
    }
}

fn message_of(row: &Row<'_>) -> rusqlite::Result<StoredMessage> {
    Ok(StoredMessage {
        id: row.get(0)?,
        user: UserId::of_key(&row.get::<_, [u8; 32]>(1)?),
        handle: Handle::parse(&row.get::<_, String>(2)?).map_err(|error| foreign(2, error))?,
        sent: Minute(row.get(3)?),
        text: ContactText::parse(&row.get::<_, String>(4)?).map_err(|error| foreign(4, error))?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::this_minute;
    use crate::store::{Day, Store, StoreHandle, User};

    fn user(seed: u16) -> User {
        let mut key = [0; 32];
        key[..2].copy_from_slice(&seed.to_be_bytes());
        let handle = Handle::parse(&format!("Roadrunner {seed}")).unwrap();
        User { id: UserId::of_key(&key), key, handle, description: None, created: Day(1) }
    }

    fn text(text: &str) -> ContactText {
        ContactText::parse(text).unwrap()
    }

    #[tokio::test]
    async fn what_has_waited_for_90_days_is_gone_when_the_server_starts() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tenfour.db");
        let mut store = Sqlite::open(&path).unwrap();
        store.insert_user(&user(1)).unwrap();
        let days = |days: u32, minutes: u32| Minute(this_minute().0 - days * 1_440 + minutes);
        store.put_message(&user(1).id, &text("Quail of Xylo"), days(91, 0)).unwrap();
        store.put_message(&user(1).id, &text("Roadrunner of Xylo"), days(90, 10)).unwrap();
        let (handle, thread) = StoreHandle::start(store).unwrap();
        let held = handle.held(user(1).id).await.unwrap().unwrap();
        assert_eq!((held.messages.len(), held.messages[0].id), (1, 2));
        let file = std::fs::read(&path).unwrap();
        let has = |words: &[u8]| file.windows(words.len()).any(|window| window == words);
        assert!(!has(b"Quail of Xylo") && has(b"Roadrunner of Xylo"));
        drop(handle);
        thread.join();
    }

    #[test]
    fn there_is_room_for_ten_of_a_user_and_ten_thousand_of_everybody() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Sqlite::open(&folder.path().join("tenfour.db")).unwrap();
        store.begin().unwrap();
        let writers = u16::try_from(CONTACTS / CONTACTS_PER_USER).unwrap();
        for n in 0..=writers + 1 {
            store.insert_user(&user(n)).unwrap();
        }
        for n in 0..writers {
            for _ in 0..CONTACTS_PER_USER {
                assert_eq!(store.put_message(&user(n).id, &text("x"), Minute(1)).unwrap(), Left::Done);
            }
        }
        assert_eq!(store.put_message(&user(0).id, &text("x"), Minute(1)).unwrap(), Left::TooMany);
        // A user without a message gets in, and the user with most has one less.
        let newcomer = &user(writers);
        assert_eq!(store.put_message(&newcomer.id, &text("help"), Minute(1)).unwrap(), Left::Done);
        assert_eq!(store.messages_of(&user(0).id).unwrap().len(), CONTACTS_PER_USER - 1);
        assert_eq!(store.put_message(&newcomer.id, &text("more"), Minute(1)).unwrap(), Left::Full);
        assert_eq!(store.put_message(&user(writers + 1).id, &text("help"), Minute(1)).unwrap(), Left::Done);
        let (all, other) = (store.messages().unwrap(), store.messages_of(&user(1).id).unwrap());
        assert_eq!((all.len(), other.len()), (CONTACTS, CONTACTS_PER_USER - 1));
        assert_eq!(store.messages_of(&newcomer.id).unwrap()[0].text, text("help"));
    }

    /// With one message each of ten thousand people there is no room: nobody loses their only one.
    #[test]
    fn nobody_loses_their_only_message_to_somebody_else() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Sqlite::open(&folder.path().join("tenfour.db")).unwrap();
        store.begin().unwrap();
        for n in 0..=u16::try_from(CONTACTS).unwrap() {
            store.insert_user(&user(n)).unwrap();
            let left = store.put_message(&user(n).id, &text("x"), Minute(1)).unwrap();
            assert_eq!(left, if usize::from(n) < CONTACTS { Left::Done } else { Left::Full });
        }
        assert!(store.erase(&user(1).id).unwrap());
        assert_eq!(store.put_message(&user(10_000).id, &text("x"), Minute(1)).unwrap(), Left::Done);
    }
}
