//! The embedded store: one SQLite file in the data folder.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, Row, params};
use tenfour_protocol::limits::USERS;
use tenfour_protocol::{ContactText, UserId};

use super::files::Files;
use super::schema::{OPENING, SCHEMA, TABLES};
use super::wiped::{keep_log_file, use_wiped_memory};
use super::{
    Day, Left, Minute, Revision, Store, StoreError, StoredMessage, StoredSession, TokenHash, User, Written,
};

/// How long to wait for another program that reads: a backup, or `tenfour admin`, takes moments.
const BUSY: Duration = Duration::from_secs(2);

/// A store in a SQLite file.
#[derive(Debug)]
pub struct Sqlite {
    pub(super) db: Connection,
    /// Users there are, and may be.
    pub(super) users: usize,
    pub(super) most_users: usize,
    /// For people.
    path: String,
    /// Declared after the database, which is closed first. None when the store is only read.
    files: Option<Files>,
}

impl Sqlite {
    /// Opens the file, makes it when it is missing, and checks that it can be written. What a
    /// process left that was killed is overwritten.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let name = path.display().to_string();
        if !use_wiped_memory() {
            tracing::warn!("SQLite was in use before: what it frees in memory is not wiped");
        }
        let files = Files::take(path)?;
        let db = Self::connect(path).map_err(|error| explain(&name, &error))?;
        let mut store = Self { db, users: 0, most_users: USERS, path: name, files: Some(files) };
        store.migrate()?;
        store.scrub()?;
        store.count_users()?;
        store.files.iter().try_for_each(Files::note_made)?;
        // On a full disk the store goes on with the room that it has; its thread tells the operator.
        store.keep_room().ok();
        Ok(store)
    }

    /// With room for so many users.
    pub fn with_room_for(mut self, most_users: usize) -> Self {
        self.most_users = most_users;
        self
    }

    /// Opens the file for reading only. A server may be running on it.
    pub(super) fn look_into(path: &Path) -> Result<Self, StoreError> {
        let name = path.display().to_string();
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let db = Connection::open_with_flags(path, flags).map_err(|error| explain(&name, &error))?;
        let store = Self { db, users: 0, most_users: 0, path: name, files: None };
        store.db.busy_timeout(BUSY).map_err(|error| store.explain(&error))?;
        store.known_schema()?;
        Ok(store)
    }

    /// Makes the disk full early.
    #[cfg(test)]
    pub(super) fn limit_pages(&self, pages: u32) {
        self.db.pragma_update(None, "max_page_count", pages).unwrap();
    }

    fn connect(path: &Path) -> rusqlite::Result<Connection> {
        let db = Connection::open(path)?;
        db.busy_timeout(BUSY)?;
        db.execute_batch(OPENING)?;
        if !keep_log_file(&db) {
            tracing::warn!("SQLite removes its log when it closes: a start on a full disk may fail");
        }
        Ok(db)
    }

    fn migrate(&self) -> Result<(), StoreError> {
        self.known_schema()?;
        self.db.execute_batch(TABLES).map_err(|error| self.explain(&error))
    }

    fn known_schema(&self) -> Result<(), StoreError> {
        let version = self.db.query_row("PRAGMA user_version", [], |row| row.get(0));
        match version.map_err(|error| self.explain(&error))? {
            0..=SCHEMA => Ok(()),
            found => Err(StoreError::TooNew { path: self.path.clone(), found, known: SCHEMA }),
        }
    }

    /// Moves the write-ahead log into the database, so that a new one begins at its start.
    pub(super) fn checkpoint(&self) -> Result<(), StoreError> {
        let busy = self.db.query_row("PRAGMA wal_checkpoint(RESTART)", [], |row| row.get::<_, bool>(0));
        if busy.map_err(|error| self.explain(&error))? {
            let reason = "another program reads it for too long".to_owned();
            return Err(StoreError::NotWritable { path: self.path.clone(), reason });
        }
        Ok(())
    }

    pub(super) fn explain(&self, error: &rusqlite::Error) -> StoreError {
        explain(&self.path, error)
    }

    pub(super) fn run(&self, sql: &str, parameters: impl rusqlite::Params) -> Result<usize, StoreError> {
        self.db
            .prepare_cached(sql)
            .and_then(|mut statement| statement.execute(parameters))
            .map_err(|error| self.explain(&error))
    }
}

impl Store for Sqlite {
    fn insert_user(&mut self, user: &User) -> Result<Written, StoreError> {
        self.add_user(user)
    }

    fn update_user(&mut self, user: &User) -> Result<Written, StoreError> {
        self.rewrite_user(user)
    }

    fn erase(&mut self, id: &UserId) -> Result<bool, StoreError> {
        self.remove_sessions(id)?;
        self.run("DELETE FROM message WHERE user = ?1", [id.as_bytes()])?;
        self.forget_user(id)
    }

    fn user(&mut self, id: &UserId) -> Result<Option<User>, StoreError> {
        self.read_user(id)
    }

    fn sessions(&mut self) -> Result<Vec<StoredSession>, StoreError> {
        let read = || {
            let mut statement = self.db.prepare(
                "SELECT session.hash, user.key, session.used FROM session JOIN user ON user.id = session.user",
            )?;
            let rows = statement.query_map([], session_of)?;
            rows.collect::<rusqlite::Result<Vec<_>>>()
        };
        read().map_err(|error| self.explain(&error))
    }

    fn sessions_of(&mut self, id: &UserId) -> Result<Vec<StoredSession>, StoreError> {
        let read = || {
            let mut statement = self.db.prepare_cached("SELECT hash, used FROM session WHERE user = ?1")?;
            let session =
                |row: &Row<'_>| Ok(StoredSession { hash: row.get(0)?, user: *id, used: Day(row.get(1)?) });
            statement.query_map([id.as_bytes()], session)?.collect::<rusqlite::Result<Vec<_>>>()
        };
        read().map_err(|error| self.explain(&error))
    }

    fn put_session(&mut self, session: &StoredSession) -> Result<Option<Revision>, StoreError> {
        self.run(
            "INSERT INTO session (hash, user, used) SELECT ?1, id, ?3 FROM user WHERE id = ?2
             ON CONFLICT (hash) DO UPDATE SET used = max(used, excluded.used)",
            params![session.hash, session.user.as_bytes(), session.used.0],
        )
        .map(|rows| (rows == 1).then(Revision::default))
    }

    fn remove_session(&mut self, id: &UserId, hash: &TokenHash) -> Result<(), StoreError> {
        let parameters = params![hash, id.as_bytes()];
        self.run("DELETE FROM session WHERE hash = ?1 AND user = ?2", parameters).map(|_| ())
    }

    fn remove_sessions(&mut self, id: &UserId) -> Result<(), StoreError> {
        self.run("DELETE FROM session WHERE user = ?1", [id.as_bytes()]).map(|_| ())
    }

    fn put_message(&mut self, user: &UserId, text: &ContactText, sent: Minute) -> Result<Left, StoreError> {
        self.leave(user, text, sent)
    }

    fn messages_of(&mut self, id: &UserId) -> Result<Vec<StoredMessage>, StoreError> {
        self.read_messages(Some(id))
    }

    fn messages(&mut self) -> Result<Vec<StoredMessage>, StoreError> {
        self.read_messages(None)
    }

    fn expire_messages(&mut self, before: Minute) -> Result<usize, StoreError> {
        self.run("DELETE FROM message WHERE sent < ?1", [before.0])
    }

    fn remove_messages(&mut self, ids: &[u32]) -> Result<(), StoreError> {
        ids.iter().try_for_each(|id| self.run("DELETE FROM message WHERE id = ?1", [id]).map(|_| ()))
    }

    fn begin(&mut self) -> Result<(), StoreError> {
        self.run("BEGIN IMMEDIATE", []).map(|_| ())
    }

    fn commit(&mut self) -> Result<(), StoreError> {
        self.run("COMMIT", []).map(|_| ())
    }

    fn roll_back(&mut self) {
        // On a full disk SQLite has rolled back by itself.
        if !self.db.is_autocommit()
            && let Err(error) = self.run("ROLLBACK", [])
        {
            tracing::error!(reason = %error, "a change of the store could not be taken back");
        }
        if let Err(error) = self.count_users() {
            tracing::error!(reason = %error, "users cannot be counted");
        }
    }

    fn keep_room(&mut self) -> Result<(), StoreError> {
        self.files.iter().try_for_each(Files::keep_room)?;
        self.keep_spare_pages()
    }

    fn is_full(&self) -> bool {
        self.files.as_ref().is_some_and(Files::is_full)
    }

    fn probe(&mut self) -> Result<(), StoreError> {
        self.files.iter().try_for_each(Files::note_made)
    }

    fn scrub(&mut self) -> Result<(), StoreError> {
        let Some(files) = &self.files else { return Ok(()) };
        self.checkpoint()?;
        let overwritten = files.overwrite_log().and_then(|()| files.overwrite_residue());
        overwritten.map_err(|error| StoreError::NotWritable {
            path: self.path.clone(),
            reason: error.to_string(),
        })?;
        // Pages and rows in SQLite's memory would bring back what is overwritten in the file.
        let fresh = Self::connect(files.database()).map_err(|error| self.explain(&error))?;
        drop(std::mem::replace(&mut self.db, fresh));
        Ok(())
    }
}

/// SQLite deletes the write-ahead log when it closes the file, and leaves its bytes on the disk.
impl Drop for Sqlite {
    fn drop(&mut self) {
        if let Err(error) = self.scrub() {
            tracing::error!(reason = %error, "what the store had deleted may still be on the disk");
        }
    }
}

fn session_of(row: &Row<'_>) -> rusqlite::Result<StoredSession> {
    Ok(StoredSession {
        hash: row.get(0)?,
        user: UserId::of_key(&row.get::<_, [u8; 32]>(1)?),
        used: Day(row.get(2)?),
    })
}

/// A value that this program cannot have written.
pub(super) fn foreign(column: usize, error: tenfour_protocol::person::TextError) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, Box::new(error))
}

fn explain(path: &str, error: &rusqlite::Error) -> StoreError {
    let (path, reason) = (path.to_owned(), error.to_string());
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::Locked { path },
        Some(ErrorCode::DiskFull) => StoreError::Full { path },
        Some(
            ErrorCode::CannotOpen
            | ErrorCode::ReadOnly
            | ErrorCode::PermissionDenied
            | ErrorCode::SystemIoFailure,
        ) => StoreError::NotWritable { path, reason },
        _ => StoreError::Damaged { path, reason },
    }
}

#[cfg(test)]
mod tests {
    use tenfour_protocol::{Description, Handle};

    use super::*;

    fn user(seed: u8) -> User {
        let key = [seed; 32];
        User {
            id: UserId::of_key(&key),
            key,
            handle: Handle::parse("Roadrunner").unwrap(),
            description: Some(Description::parse("night shift").unwrap()),
            created: Day(20_000),
        }
    }

    #[test]
    fn users_and_sessions_survive_a_reopening() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tenfour.db");
        let session = StoredSession { hash: [3; 32], user: user(1).id, used: Day(20_001) };
        let mut store = Sqlite::open(&path).unwrap();
        assert_eq!(store.insert_user(&user(1)).unwrap(), Written::Done);
        assert_eq!(store.insert_user(&user(1)).unwrap(), Written::Known, "a key registers once");
        store.put_session(&session).unwrap();
        drop(store);
        let mut store = Sqlite::open(&path).unwrap();
        assert_eq!(store.user(&user(1).id).unwrap(), Some(user(1)));
        assert_eq!(store.user(&user(2).id).unwrap(), None);
        assert_eq!(store.sessions().unwrap(), [session]);
        store.remove_session(&session.user, &session.hash).unwrap();
        assert_eq!(store.sessions().unwrap(), []);
    }

    #[test]
    fn changes_that_are_rolled_back_are_gone() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Sqlite::open(&folder.path().join("tenfour.db")).unwrap();
        store.begin().unwrap();
        store.insert_user(&user(1)).unwrap();
        store.roll_back();
        assert_eq!(store.user(&user(1).id).unwrap(), None);
    }

    #[test]
    fn a_damaged_a_locked_and_a_newer_file_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let damaged = folder.path().join("damaged.db");
        std::fs::write(&damaged, "this is a diary, not a database, and it is long enough to show".repeat(40))
            .unwrap();
        assert!(matches!(Sqlite::open(&damaged), Err(StoreError::Damaged { .. })));
        let path = folder.path().join("tenfour.db");
        let mut first = Sqlite::open(&path).unwrap();
        assert!(matches!(Sqlite::open(&path), Err(StoreError::Locked { .. })));
        first.insert_user(&user(1)).unwrap();
        let mut look = Sqlite::look_into(&path).unwrap();
        assert_eq!(look.user(&user(1).id).unwrap(), Some(user(1)), "who only reads comes in");
        assert!(look.erase(&user(1).id).is_err() && first.user(&user(1).id).unwrap().is_some());
        first.db.execute_batch("PRAGMA user_version = 9").unwrap();
        drop(first);
        assert!(matches!(Sqlite::open(&path), Err(StoreError::TooNew { found: 9, .. })));
        let nowhere = folder.path().join("missing/tenfour.db");
        assert!(matches!(Sqlite::open(&nowhere), Err(StoreError::NotWritable { .. })));
    }
}
