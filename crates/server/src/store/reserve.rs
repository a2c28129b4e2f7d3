//! Room that is kept in the files, so that erasures, log-outs and log-ins work on a full disk.
//!
//! Such a change is written twice: to the write-ahead log, whose file never has less than
//! [`LOG_ROOM`](super::files::LOG_ROOM), and to pages of the database, of which some are always there and unused. Neither makes a
//! file longer, so no other program can take the room away. What makes files longer (registrations, messages to
//! the operator) is refused before the disk is full to the last byte.

use rusqlite::OptionalExtension;

use super::{Sqlite, StoreError};

/// Pages of the database that are there and unused, at most; half of them at least. A log-in fills a fortieth of one.
const SPARE_PAGES: u32 = 256;

/// Takes pages from the end of the file and puts them on the list of those that are free. As deletes overwrite
/// what they delete, each of them is written, and so is on the disk.
const MAKE_SPARE_PAGES: &str = "
    BEGIN IMMEDIATE;
    CREATE TABLE spare (piece BLOB) STRICT;
    INSERT INTO spare SELECT zeroblob(?1);
    DROP TABLE spare;
    COMMIT;
";

impl Sqlite {
    /// Makes spare pages again when there are few, and has the disk take them.
    pub(super) fn keep_spare_pages(&mut self) -> Result<(), StoreError> {
        let number = |name: &str| {
            let read =
                self.db.query_row(&format!("PRAGMA {name}"), [], |row| row.get::<_, u32>(0)).optional();
            read.map(Option::unwrap_or_default).map_err(|error| self.explain(&error))
        };
        if number("freelist_count")? >= SPARE_PAGES / 2 {
            return Ok(());
        }
        let bytes = SPARE_PAGES * number("page_size")?;
        let make = MAKE_SPARE_PAGES.replace("?1", &bytes.to_string());
        if let Err(error) = self.db.execute_batch(&make) {
            let error = self.explain(&error);
            if !self.db.is_autocommit() {
                self.run("ROLLBACK", [])?;
            }
            return Err(error);
        }
        self.checkpoint()
    }
}
