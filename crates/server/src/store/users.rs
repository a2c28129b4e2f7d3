//! The table of users.

use rusqlite::{OptionalExtension, Row, params};
use tenfour_protocol::limits::USERS_PER_TAG;
use tenfour_protocol::{Description, Handle, UserId};

use super::sqlite::foreign;
use super::{Day, Sqlite, StoreError, User, Written};
use crate::handle;

impl Sqlite {
    pub(super) fn read_user(&self, id: &UserId) -> Result<Option<User>, StoreError> {
        let mut statement = self
            .db
            .prepare_cached("SELECT key, handle, description, created FROM user WHERE id = ?1")
            .map_err(|error| self.explain(&error))?;
        let user = statement.query_row([id.as_bytes()], |row| user_of(*id, row)).optional();
        user.map_err(|error| self.explain(&error))
    }

    /// Adds a user, unless there is an objection.
    pub(super) fn add_user(&mut self, user: &User) -> Result<Written, StoreError> {
        match self.objection(user)? {
            Some(Written::Full) if self.read_user(&user.id)?.is_some() => return Ok(Written::Known),
            Some(objection) => return Ok(objection),
            None => {}
        }
        let rows = self.run(
            "INSERT INTO user (id, key, handle, description, created) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT DO NOTHING",
            params![
                user.id.as_bytes(),
                user.key,
                user.handle.as_str(),
                user.description.as_ref().map(Description::as_str),
                user.created.0
            ],
        )?;
        self.users += rows;
        Ok(if rows == 1 { Written::Done } else { Written::Known })
    }

    /// Writes handle and description.
    pub(super) fn rewrite_user(&self, user: &User) -> Result<Written, StoreError> {
        if self.objection(user)? == Some(Written::Mistakable) {
            return Ok(Written::Mistakable);
        }
        let description = user.description.as_ref().map(Description::as_str);
        let rows = self.run(
            "UPDATE user SET handle = ?2, description = ?3 WHERE id = ?1",
            params![user.id.as_bytes(), user.handle.as_str(), description],
        )?;
        Ok(if rows == 1 { Written::Done } else { Written::Unknown })
    }

    /// Forgets a user; false when there was none.
    pub(super) fn forget_user(&mut self, id: &UserId) -> Result<bool, StoreError> {
        let rows = self.run("DELETE FROM user WHERE id = ?1", [id.as_bytes()])?;
        self.users = self.users.saturating_sub(rows);
        Ok(rows == 1)
    }

    /// Counts them anew.
    pub(super) fn count_users(&mut self) -> Result<(), StoreError> {
        let users = self.db.query_row("SELECT count(*) FROM user", [], |row| row.get::<_, u32>(0));
        self.users = users.map_err(|error| self.explain(&error))? as usize;
        Ok(())
    }

    /// Why a user cannot be written: another one has its tag and a handle that looks the same, or there is no
    /// room for one more. Tags have 20 bits, and those with one are bounded: the question is short.
    fn objection(&self, user: &User) -> Result<Option<Written>, StoreError> {
        let (first, last) = user.id.of_same_tag();
        let look = handle::look(&user.handle);
        let read = || {
            let mut statement =
                self.db.prepare_cached("SELECT handle FROM user WHERE id BETWEEN ?1 AND ?2 AND id <> ?3")?;
            let mut rows = statement.query(params![first.as_bytes(), last.as_bytes(), user.id.as_bytes()])?;
            let mut others = 0;
            while let Some(row) = rows.next()? {
                let other = Handle::parse(&row.get::<_, String>(0)?).map_err(|error| foreign(0, error))?;
                if handle::look(&other) == look {
                    return Ok(Some(Written::Mistakable));
                }
                others += 1;
            }
            let is_full = others >= USERS_PER_TAG || self.users >= self.most_users;
            Ok(is_full.then_some(Written::Full))
        };
        read().map_err(|error| self.explain(&error))
    }
}

fn user_of(id: UserId, row: &Row<'_>) -> rusqlite::Result<User> {
    Ok(User {
        id,
        key: row.get(0)?,
        handle: Handle::parse(&row.get::<_, String>(1)?).map_err(|error| foreign(1, error))?,
        description: row
            .get::<_, Option<String>>(2)?
            .map(|text| Description::parse(&text).map_err(|error| foreign(2, error)))
            .transpose()?,
        created: Day(row.get(3)?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;

    /// The tag is that of `tag`, the rest counts.
    fn user(tag: u32, n: u32) -> User {
        let mut bytes = [0; 20];
        bytes[..4].copy_from_slice(&(tag << 12).to_be_bytes());
        bytes[16..].copy_from_slice(&n.to_be_bytes());
        let key = std::array::from_fn(|at| bytes[at % 20]);
        let handle = Handle::parse(&format!("Roadrunner {n}")).unwrap();
        User { id: UserId::from_bytes(bytes), key, handle, description: None, created: Day(1) }
    }

    #[test]
    fn there_are_as_many_users_as_the_operator_wants() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tenfour.db");
        let mut store = Sqlite::open(&path).unwrap().with_room_for(3);
        for n in 0..3 {
            assert_eq!(store.insert_user(&user(n, n)).unwrap(), Written::Done);
        }
        assert_eq!(store.insert_user(&user(3, 3)).unwrap(), Written::Full);
        assert_eq!(store.insert_user(&user(2, 2)).unwrap(), Written::Known, "who is there is told so");
        let renamed = User { handle: Handle::parse("Coyote").unwrap(), ..user(2, 2) };
        assert_eq!(store.update_user(&renamed).unwrap(), Written::Done);
        assert!(store.erase(&user(0, 0).id).unwrap() && !store.erase(&user(0, 0).id).unwrap());
        assert_eq!(store.insert_user(&user(3, 3)).unwrap(), Written::Done);
        assert_eq!(store.insert_user(&user(4, 4)).unwrap(), Written::Full, "one went, one came");
        drop(store);
        let mut store = Sqlite::open(&path).unwrap().with_room_for(3);
        assert_eq!(store.insert_user(&user(4, 4)).unwrap(), Written::Full, "they are counted at the start");
        store.begin().unwrap();
        store.erase(&user(3, 3).id).unwrap();
        store.roll_back();
        assert_eq!(store.insert_user(&user(4, 4)).unwrap(), Written::Full);
    }

    #[test]
    fn a_tag_that_somebody_makes_keys_for_is_full_and_others_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Sqlite::open(&folder.path().join("tenfour.db")).unwrap();
        for n in 0..u32::try_from(USERS_PER_TAG).unwrap() {
            assert_eq!(store.insert_user(&user(7, n)).unwrap(), Written::Done);
        }
        assert_eq!(store.insert_user(&user(7, 1_000)).unwrap(), Written::Full);
        assert_eq!(store.insert_user(&user(7, 1)).unwrap(), Written::Known);
        assert_eq!(store.insert_user(&user(8, 1_000)).unwrap(), Written::Done);
    }
}
