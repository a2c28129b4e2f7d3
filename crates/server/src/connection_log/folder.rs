//! The folder of the log: a file for each hour, and what is needed to erase and to aggregate.

use std::collections::BTreeSet;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, BufRead, BufReader, ErrorKind, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};
use tenfour_core::mutant;
use tenfour_protocol::UserId;

use super::blank;
use super::hour::{Hour, SECONDS_OF_HOUR, day_in};
use super::row::Row;
use crate::disk::Disk;
use crate::random::random;
use crate::store::Day;

/// Name of the folder in the data folder.
const FOLDER: &str = "log";
/// `2026-11-23T22.jsonl`: rows of an hour.
const ROWS: &str = ".jsonl";
/// `2026-11-23.noise`: 32 random bytes, from which the noise of a day is made.
const NOISE: &str = ".noise";
/// `2026-11-23.cut`: rows of the day went before their time.
const CUT: &str = ".cut";
/// `erase-…`: an erasure that has begun, with the hash of a user identifier.
const ERASURE: &str = "erase-";
/// For the owner only.
const FILE_MODE: u32 = 0o600;
const FOLDER_MODE: u32 = 0o700;

/// Bytes that are searched at once for one user's rows: a millisecond of the thread's time.
const PAGE_BYTES: usize = 256 * 1024;

/// A place in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Position {
    hour: Hour,
    offset: u64,
}

impl Position {
    /// Before the first row.
    pub(crate) const START: Self = Self { hour: Hour(0), offset: 0 };
}

#[derive(Debug, Clone)]
pub(super) struct Folder(PathBuf);

impl Folder {
    pub(super) fn of(data: &Path) -> Self {
        Self(data.join(FOLDER))
    }

    /// The file of an hour, open for rows at its end.
    pub(super) fn open(&self, hour: Hour) -> io::Result<File> {
        self.make()?;
        self.repair()?;
        OpenOptions::new().append(true).create(true).mode(FILE_MODE).open(self.rows_file(hour))
    }

    /// The disk that it is on.
    pub(super) fn disk(&self) -> Disk {
        Disk::of(&self.0)
    }

    /// Makes the folder. It is needed for erasures too, on a disk that may be full by then.
    pub(super) fn prepare(&self) -> io::Result<()> {
        self.make()?;
        self.names().map(drop)
    }

    /// Writes something that means nothing.
    pub(super) fn try_out(&self) -> io::Result<()> {
        let path = self.0.join("new-probe");
        let mut file =
            OpenOptions::new().write(true).create(true).truncate(true).mode(FILE_MODE).open(&path)?;
        let written = file.write_all(b"1").and_then(|()| file.sync_data());
        fs::remove_file(&path).and(written)
    }

    /// Bytes of the rows of a day.
    pub(super) fn bytes_of(&self, day: Day) -> io::Result<u64> {
        let hours = self.hours()?.into_iter().filter(|hour| hour.day() == day);
        hours.map(|hour| fs::metadata(self.rows_file(hour)).map(|file| file.len())).sum()
    }

    /// Takes the oldest rows of a day away, until it has `spare` bytes less: whole hours, and then the older
    /// half of `current`, to which rows are added. Returns how many bytes it has less.
    pub(super) fn cut(&self, day: Day, current: Hour, spare: u64) -> io::Result<u64> {
        // Noted first: a day with missing rows must not be counted.
        OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(FILE_MODE)
            .open(self.0.join(format!("{day}{CUT}")))?;
        let mut less = 0;
        let older = self.hours()?.into_iter().filter(|hour| hour.day() == day && *hour < current);
        for hour in older {
            if less >= spare {
                return Ok(less);
            }
            let path = self.rows_file(hour);
            let bytes = fs::metadata(&path)?.len();
            blank::whole(&path)?;
            less += bytes;
        }
        if less < spare && self.rows_file(current).exists() {
            less += blank::older_half(&self.rows_file(current))?;
        }
        Ok(less)
    }

    /// True when rows of the day went before their time.
    pub(super) fn is_cut(&self, day: Day) -> bool {
        self.0.join(format!("{day}{CUT}")).exists()
    }

    /// Overwrites what a kill or a full disk left of a line: only the newest file can have one.
    pub(super) fn repair(&self) -> io::Result<()> {
        let Some(newest) = self.hours()?.pop() else { return Ok(()) };
        let path = self.rows_file(newest);
        // A device in place of a file (tests) has nothing to repair.
        if fs::metadata(&path)?.is_file() {
            blank::lines(&path, |line| !line.ends_with(b"\n") || Row::parse(line).is_none())?;
        }
        Ok(())
    }

    /// The hours that have a file, in order.
    pub(super) fn hours(&self) -> io::Result<Vec<Hour>> {
        let parse = |name: &str| Hour::parse(name.strip_suffix(ROWS)?);
        let mut hours: Vec<_> = self.names()?.iter().filter_map(|name| parse(name)).collect();
        hours.sort_unstable();
        Ok(hours)
    }

    /// Passes on the rows of an hour, in order. A line that is torn is none.
    pub(super) fn read(&self, hour: Hour, mut row: impl FnMut(Row)) -> io::Result<()> {
        let file = match File::open(self.rows_file(hour)) {
            // No such hour, or it has expired meanwhile.
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            file => file?,
        };
        for line in BufReader::new(file).split(b'\n') {
            Row::parse(&line?).into_iter().for_each(&mut row);
        }
        Ok(())
    }

    pub(super) fn rows_of(&self, user: &UserId) -> io::Result<Vec<Row>> {
        let mut rows = Vec::new();
        for hour in self.hours()? {
            self.read(hour, |row| rows.extend((row.user == *user).then_some(row)))?;
        }
        Ok(rows)
    }

    /// The rows of a user from `at` on, as many as are found in [`PAGE_BYTES`] of the log, and where it goes on.
    /// Lines stay where they are: what is erased is overwritten.
    pub(super) fn page_of(&self, user: &UserId, at: Position) -> io::Result<(Vec<Row>, Option<Position>)> {
        let (mut rows, mut looked) = (Vec::new(), 0);
        for hour in self.hours()?.into_iter().filter(|hour| *hour >= at.hour) {
            let mut offset = if hour == at.hour { at.offset } else { 0 };
            let mut file = match File::open(self.rows_file(hour)) {
                // It has expired meanwhile.
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                file => BufReader::new(file?),
            };
            file.seek(SeekFrom::Start(offset))?;
            let mut line = Vec::new();
            while file.read_until(b'\n', &mut line)? > 0 {
                rows.extend(Row::parse(&line).filter(|row| row.user == *user));
                offset += line.len() as u64;
                looked += line.len();
                line.clear();
                if looked >= PAGE_BYTES {
                    return Ok((rows, Some(Position { hour, offset })));
                }
            }
        }
        Ok((rows, None))
    }

    /// Everybody who has rows.
    pub(super) fn users(&self) -> io::Result<BTreeSet<UserId>> {
        let mut users = BTreeSet::new();
        for hour in self.hours()? {
            self.read(hour, |row| users.extend([row.user]))?;
        }
        Ok(users)
    }

    /// Removes what is older than `days`: hours whole, and what is noted of days whose last hour went.
    pub(super) fn expire(&self, days: usize, now: u64) -> io::Result<()> {
        let kept_from = |end: Hour| end.0 * SECONDS_OF_HOUR + days as u64 * 86_400 > now;
        for hour in self.hours()? {
            if !kept_from(Hour(hour.0 + 1)) {
                blank::whole(&self.rows_file(hour))?;
            }
        }
        for name in self.names()? {
            let day = name.strip_suffix(NOISE).or(name.strip_suffix(CUT)).and_then(day_in);
            if day.is_some_and(|day| !kept_from(Hour::first_of(Day(day.0 + 1)))) {
                blank::whole(&self.0.join(name))?;
            }
        }
        Ok(())
    }

    /// Notes that a user is to be erased, which [`Self::erase_rest`] does unless it is done before.
    pub(super) fn will_erase(&self, user: &UserId) -> io::Result<()> {
        self.make()?;
        let mark = self.mark(user);
        OpenOptions::new().write(true).create(true).truncate(true).mode(FILE_MODE).open(mark)?;
        self.sync()
    }

    /// Overwrites every row of a user. A kill in the middle is made good by [`Self::erase_rest`].
    pub(super) fn erase(&self, user: &UserId) -> io::Result<()> {
        self.will_erase(user)?;
        self.erase_where(|row| row.user == *user)?;
        fs::remove_file(self.mark(user))?;
        self.sync()
    }

    /// Ends the erasures that a kill or a disk has cut short.
    pub(super) fn erase_rest(&self) -> io::Result<()> {
        for name in self.names()? {
            if let Some(mark) = name.strip_prefix(ERASURE) {
                self.erase_where(|row| mark_of(&row.user) == mark)?;
                fs::remove_file(self.0.join(&name))?;
            }
        }
        Ok(())
    }

    /// A line that is torn may be anybody's.
    fn erase_where(&self, doomed: impl Fn(&Row) -> bool) -> io::Result<()> {
        mutant!(crate::mutants::active(), LeaveLogRows => return Ok(()));
        for hour in self.hours()? {
            blank::lines(&self.rows_file(hour), |line| Row::parse(line).is_none_or(|row| doomed(&row)))?;
        }
        Ok(())
    }

    /// The secret that the noise of a day is made from: made when it is asked for first, and gone
    /// with the rows, so that nobody can take the noise off an old figure later.
    pub(super) fn noise_key(&self, day: Day) -> io::Result<[u8; 32]> {
        let path = self.0.join(format!("{day}{NOISE}"));
        if !path.exists() {
            // Whole before it has its name; of two programs that do it at once, one is the first.
            let fresh = self.0.join(format!("new-{}", HEXLOWER.encode(&random::<8>())));
            let mut file = OpenOptions::new().write(true).create_new(true).mode(FILE_MODE).open(&fresh)?;
            let made = file.write_all(&random::<32>()).and_then(|()| fs::hard_link(&fresh, &path));
            fs::remove_file(&fresh)?;
            made.or_else(|error| if path.exists() { Ok(()) } else { Err(error) })?;
        }
        let key = fs::read(&path)?;
        key.try_into().map_err(|_| io::Error::other(format!("{} is not 32 bytes long", path.display())))
    }

    fn make(&self) -> io::Result<()> {
        DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(&self.0)
    }

    fn mark(&self, user: &UserId) -> PathBuf {
        self.0.join(format!("{ERASURE}{}", mark_of(user)))
    }

    fn rows_file(&self, hour: Hour) -> PathBuf {
        self.0.join(format!("{hour}{ROWS}"))
    }

    /// Names in the folder; none when there is no folder.
    fn names(&self) -> io::Result<Vec<String>> {
        let entries = match fs::read_dir(&self.0) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        // Names that are no text are not ours.
        entries
            .filter_map(|entry| entry.map(|entry| entry.file_name().into_string().ok()).transpose())
            .collect()
    }

    /// Makes names last.
    fn sync(&self) -> io::Result<()> {
        File::open(&self.0)?.sync_all()
    }
}

/// A user identifier is itself a hash of a random key: nobody finds it from this one.
pub(super) fn mark_of(user: &UserId) -> String {
    HEXLOWER.encode(&Sha256::new().chain_update(b"tenfour erase").chain_update(user.to_string()).finalize())
}
