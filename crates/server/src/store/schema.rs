//! The tables of the file, and how older files come to have them.

/// The schema this program knows, as `PRAGMA user_version`: 1 had users and sessions, 2 has messages.
pub(super) const SCHEMA: u32 = 2;

/// `secure_delete` overwrites what is deleted. `synchronous` is FULL, so that a registration
/// that was answered survives a power cut; commits are grouped, which makes it cheap. Nothing
/// goes into temporary files.
pub(super) const OPENING: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA secure_delete = ON;
    PRAGMA temp_store = MEMORY;
    PRAGMA foreign_keys = ON;
";

/// Numbers of messages are never used again: the operator removes by number, and means the one that
/// was shown. Makes what is missing: all of it in a new file, in one of schema 1 the messages.
pub(super) const TABLES: &str = "
    BEGIN EXCLUSIVE;
    CREATE TABLE IF NOT EXISTS user (
        id BLOB PRIMARY KEY CHECK (length(id) = 20),
        key BLOB NOT NULL CHECK (length(key) = 32),
        handle TEXT NOT NULL,
        description TEXT,
        created INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS session (
        hash BLOB PRIMARY KEY CHECK (length(hash) = 32),
        user BLOB NOT NULL REFERENCES user (id) ON DELETE CASCADE,
        used INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS session_user ON session (user);
    CREATE TABLE IF NOT EXISTS message (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        user BLOB NOT NULL REFERENCES user (id) ON DELETE CASCADE,
        handle TEXT NOT NULL,
        sent INTEGER NOT NULL,
        text TEXT NOT NULL
    ) STRICT;
    CREATE INDEX IF NOT EXISTS message_user ON message (user);
    PRAGMA user_version = 2;
    COMMIT;
";

#[cfg(test)]
mod tests {
    use tenfour_protocol::{ContactText, Handle, UserId};

    use crate::store::{Day, Left, Minute, Sqlite, Store, User, read_held, read_inbox};

    /// As the first release made it.
    const SCHEMA_1: &str = "
        PRAGMA journal_mode = WAL;
        CREATE TABLE user (
            id BLOB PRIMARY KEY CHECK (length(id) = 20),
            key BLOB NOT NULL CHECK (length(key) = 32),
            handle TEXT NOT NULL,
            description TEXT,
            created INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE session (
            hash BLOB PRIMARY KEY CHECK (length(hash) = 32),
            user BLOB NOT NULL REFERENCES user (id) ON DELETE CASCADE,
            used INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX session_user ON session (user);
        PRAGMA user_version = 1;
    ";

    #[test]
    fn a_file_of_the_first_schema_keeps_its_users_and_takes_messages() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tenfour.db");
        let (key, handle) = ([1; 32], Handle::parse("Roadrunner").unwrap());
        let user = User { id: UserId::of_key(&key), key, handle, description: None, created: Day(20_000) };
        let old = rusqlite::Connection::open(&path).unwrap();
        old.execute_batch(SCHEMA_1).unwrap();
        old.execute(
            "INSERT INTO user (id, key, handle, created) VALUES (?1, ?2, 'Roadrunner', 20000)",
            rusqlite::params![user.id.as_bytes(), key],
        )
        .unwrap();
        old.execute(
            "INSERT INTO session (hash, user, used) VALUES (?1, ?2, 20001)",
            rusqlite::params![[3u8; 32], user.id.as_bytes()],
        )
        .unwrap();
        drop(old);
        let held = read_held(&path, &user.id).unwrap().expect("the operator may look before the server does");
        assert_eq!((held.sessions.len(), held.messages.len()), (1, 0));
        assert!(read_inbox(&path).unwrap().is_empty());

        let mut store = Sqlite::open(&path).unwrap();
        assert_eq!(store.user(&user.id).unwrap().as_ref(), Some(&user));
        assert_eq!(store.sessions().unwrap().len(), 1);
        let text = ContactText::parse("Hello").unwrap();
        assert_eq!(store.put_message(&user.id, &text, Minute(7)).unwrap(), Left::Done);
        drop(store);
        let mut store = Sqlite::open(&path).unwrap();
        assert_eq!(store.messages_of(&user.id).unwrap()[0].text, text);
        assert!(store.erase(&user.id).unwrap() && store.messages_of(&user.id).unwrap().is_empty());
    }
}
