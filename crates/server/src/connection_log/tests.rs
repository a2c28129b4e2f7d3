use std::collections::BTreeSet;
use std::fs;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::time::Duration;

use tempfile::TempDir;
use tenfour_protocol::limits::LOG_ROWS_PER_USER;

use super::aggregate::aggregate_at;
use super::hour::Hour;
use super::*;
use crate::store::Day;

/// 2026-11-23, at noon.
const NOON: u64 = 1_795_435_200;
const DAY: u64 = 86_400;

fn user(seed: u32) -> UserId {
    UserId::of_key(&std::array::from_fn(|at| seed.to_be_bytes()[at % 4]))
}

fn row(seed: u32, time: u64, platform: &str) -> Row {
    Row {
        time: Moment(time),
        address: Ipv4Addr::from_bits(0xC633_6400 + seed).into(),
        handle: format!("Roadrunner {seed}").into(),
        user: user(seed),
        manufacturer: DeviceText::clean("Acme"),
        model: DeviceText::clean("Rocket"),
        platform: DeviceText::clean(platform),
        version: DeviceText::clean("tenfour 0.1.0"),
    }
}

/// Rows as a server has left them.
fn written(rows: &[Row]) -> (TempDir, Folder) {
    let data = tempfile::tempdir().unwrap();
    let folder = Folder::of(data.path());
    for row in rows {
        let mut file = folder.open(Hour::of(row.time.0)).unwrap();
        std::io::Write::write_all(&mut file, &row.line()).unwrap();
    }
    (data, folder)
}

fn files(data: &TempDir) -> Vec<(PathBuf, Vec<u8>)> {
    let entries = fs::read_dir(data.path().join("log")).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = entries.map(|path| (path.clone(), fs::read(path).unwrap())).collect();
    files.sort();
    files
}

fn names(data: &TempDir) -> Vec<String> {
    let entries = fs::read_dir(data.path().join("log")).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// True when a file holds the bytes.
fn found(data: &TempDir, bytes: &str) -> bool {
    files(data).iter().any(|(_, file)| file.windows(bytes.len()).any(|window| window == bytes.as_bytes()))
}

fn users(folder: &Folder) -> Vec<UserId> {
    let mut users = Vec::new();
    for hour in folder.hours().unwrap() {
        folder.read(hour, |row| users.push(row.user)).unwrap();
    }
    users
}

#[test]
fn an_erased_user_leaves_no_byte_and_others_leave_theirs() {
    let hours = (0..5).flat_map(|hour| (1..4).map(move |seed| row(seed, NOON + hour * 3600, "linux")));
    let mut rows: Vec<_> = hours.collect();
    rows.push(row(2, NOON + 6 * 3600, "linux"));
    let (data, folder) = written(&rows);
    folder.erase(&user(2)).unwrap();
    for trace in [&user(2).to_string()[..], "Roadrunner 2", "198.51.100.2"] {
        assert!(!found(&data, trace), "{trace}");
    }
    assert_eq!(users(&folder), [user(1), user(3)].repeat(5));
    assert_eq!(names(&data).len(), 5, "an hour that nobody else was in is gone: {:?}", names(&data));
    assert!(folder.rows_of(&user(2)).unwrap().is_empty());
    folder.erase(&user(2)).unwrap();
    assert_eq!(users(&folder).len(), 10, "erased twice is erased");
}

/// Each state that a kill can leave: some rows overwritten, one of them in part.
#[test]
fn an_erasure_that_was_cut_short_is_ended_at_the_next_start() {
    let rows: Vec<_> = (0..6).map(|at| row(1 + at % 2, NOON + u64::from(at) * 1800, "linux")).collect();
    let mark = {
        let (data, folder) = written(&rows);
        folder.will_erase(&user(1)).unwrap();
        names(&data).into_iter().find(|name| name.starts_with("erase-")).expect("a mark")
    };
    let line = rows[0].line().len();
    for cut in (0..line).step_by(7) {
        let (data, folder) = written(&rows);
        fs::write(data.path().join("log").join(&mark), "").unwrap();
        let first = data.path().join("log").join(format!("{}.jsonl", Hour::of(NOON)));
        let mut bytes = fs::read(&first).unwrap();
        bytes[..cut].fill(b' ');
        fs::write(&first, bytes).unwrap();
        let (log, thread) = ConnectionLog::start(data.path(), MOST_DAYS, 100, true).unwrap();
        drop(log);
        thread.join().unwrap();
        assert!(!found(&data, &user(1).to_string()) && !found(&data, "Roadrunner 1"), "cut at {cut}");
        assert_eq!(users(&folder), [user(2); 3], "cut at {cut}");
        assert!(!names(&data).contains(&mark));
    }
}

#[test]
fn a_torn_last_line_is_overwritten_and_hurts_nobody() {
    let whole = row(2, NOON + 1, "linux").line();
    for cut in 1..whole.len() {
        let (data, folder) = written(&[row(1, NOON, "linux")]);
        let path = data.path().join("log").join(format!("{}.jsonl", Hour::of(NOON)));
        fs::write(&path, [&fs::read(&path).unwrap(), &whole[..cut]].concat()).unwrap();
        let mut file = folder.open(Hour::of(NOON)).unwrap();
        std::io::Write::write_all(&mut file, &row(3, NOON + 2, "linux").line()).unwrap();
        assert_eq!(users(&folder), [user(1), user(3)], "cut at {cut}");
        assert!(!found(&data, "Roadrunner 2"), "what nobody can read is not kept");
        folder.erase(&user(1)).unwrap();
        assert_eq!(users(&folder), [user(3)]);
    }
}

#[test]
fn hours_expire_whole_and_the_noise_of_a_day_with_its_last_hour() {
    let rows: Vec<_> =
        (0..30).map(|hour| row(hour, NOON - 12 * 3600 + u64::from(hour) * 3600, "linux")).collect();
    let (data, folder) = written(&rows);
    folder.noise_key(Day(20_780)).unwrap();
    let now = |hours: u64| NOON - 12 * 3600 + 7 * DAY + hours * 3600;
    folder.expire(7, now(1) - 1).unwrap();
    assert_eq!(users(&folder).len(), 30);
    folder.expire(7, now(1)).unwrap();
    assert_eq!(users(&folder).len(), 29, "the first hour ended 7 days ago");
    folder.expire(7, now(24) - 1).unwrap();
    assert!(names(&data).contains(&"2026-11-23.noise".to_owned()));
    folder.expire(7, now(24)).unwrap();
    assert_eq!(names(&data).len(), 6, "{:?}", names(&data));
    assert!(names(&data).iter().all(|name| name.starts_with("2026-11-24T")));
    folder.expire(30, now(400)).unwrap();
    assert_eq!(names(&data).len(), 6, "a longer retention keeps what is there");
}

fn counted(folder: &Folder, day: u32, rules: Rules, now: u64) -> Told {
    let mut told = aggregate_at(folder, &[Day(day)], 7, rules, now).unwrap();
    assert_eq!(told.rules, rules);
    told.days.remove(0).told
}

/// The users of each platform, as told.
fn told(folder: &Folder, rules: Rules) -> Vec<(String, u64)> {
    match counted(folder, 20_780, rules, NOON + DAY) {
        Told::Counted { cells } => cells.into_iter().map(|cell| (cell.platform, cell.users)).collect(),
        other => panic!("{other:?}"),
    }
}

/// Hardly any noise: what is counted shows.
const EXACT: Rules = Rules { epsilon: 40.0, threshold: 2 };

#[test]
fn a_user_counts_once_a_day_with_the_first_connection() {
    let mut rows = Vec::new();
    for seed in 0..60 {
        rows.extend(
            [("Android", 0), ("Android", 10), ("iOS", 5000)].map(|(on, at)| row(seed, NOON + at, on)),
        );
    }
    rows.extend((60..70).map(|seed| row(seed, NOON + 6000, "iOS")));
    // The day before and the day after are other days.
    rows.extend((80..99).map(|seed| row(seed, NOON - DAY, "iOS")));
    rows.extend((80..99).map(|seed| row(seed, NOON + DAY, "iOS")));
    let (_data, folder) = written(&rows);
    assert_eq!(told(&folder, EXACT), [("Android".into(), 60), ("iOS".into(), 10)]);
}

#[test]
fn small_cells_are_not_told_and_asking_again_tells_nothing_new() {
    let mut rows: Vec<_> = (0..200).map(|seed| row(seed, NOON, "Android")).collect();
    rows.extend((200..230).map(|seed| row(seed, NOON, "iOS")));
    let (data, folder) = written(&rows);
    let rules = Rules::default();
    let first = told(&folder, rules);
    assert_eq!(first.len(), 1, "30 are below 50: {first:?}");
    assert!(first[0].1.abs_diff(200) < 40, "{first:?}");
    for _ in 0..20 {
        assert_eq!(told(&folder, rules), first);
    }
    // Another secret is another answer: over many there is more than one.
    let answers: BTreeSet<_> = (0..40)
        .map(|_| {
            fs::remove_file(data.path().join("log/2026-11-23.noise")).unwrap();
            told(&folder, rules)
        })
        .collect();
    assert!(answers.len() > 1);
}

/// What an operator reads, over many days with the same people: spread as the rules say, and never
/// below the threshold.
#[test]
fn answers_are_spread_as_epsilon_says_and_end_at_the_threshold() {
    const ASKED: usize = 3000;
    let mut rows: Vec<_> = (0..90).map(|seed| row(seed, NOON, "Android")).collect();
    rows.extend((100..150).map(|seed| row(seed, NOON, "iOS")));
    let (data, folder) = written(&rows);
    let rules = Rules::default();
    let (mut far, mut near) = (Vec::new(), Vec::new());
    for _ in 0..ASKED {
        for (platform, users) in told(&folder, rules) {
            if platform == "iOS" { near.push(users) } else { far.push(users as f64 - 90.0) }
        }
        // The next answer is that of a day with a secret of its own.
        fs::remove_file(data.path().join("log/2026-11-23.noise")).unwrap();
    }
    let q = (-rules.epsilon).exp();
    let share = |part: usize, of: usize| part as f64 / of as f64;
    // Each figure within six times what chance allows.
    let close = |seen: f64, expected: f64, deviation: f64| {
        assert!((seen - expected).abs() < 6.0 * deviation / (ASKED as f64).sqrt(), "{seen}, not {expected}");
    };
    assert_eq!(far.len(), ASKED, "90 are far above the threshold");
    close(far.iter().sum::<f64>() / ASKED as f64, 0.0, (2.0 * q).sqrt() / (1.0 - q));
    close(share(far.iter().filter(|noise| **noise == 0.0).count(), ASKED), (1.0 - q) / (1.0 + q), 0.5);
    // 50 are told when their noise is none or more, and only then.
    close(share(near.len(), ASKED), 1.0 / (1.0 + q), 0.5);
    assert!(near.iter().all(|users| *users >= rules.threshold), "{near:?}");
    assert!(near.contains(&50) && near.iter().any(|users| *users > 52));
}

#[test]
fn a_day_is_told_when_it_is_over_and_while_it_is_whole() {
    let (_data, folder) = written(&(0..200).map(|seed| row(seed, NOON, "Android")).collect::<Vec<_>>());
    let (end, day) = (NOON + 12 * 3600, 20_780);
    assert_eq!(counted(&folder, day, EXACT, end - 1), Told::Running);
    assert!(matches!(counted(&folder, day, EXACT, end), Told::Counted { .. }));
    let first_hour_goes = end - DAY + 3600 + 7 * DAY;
    assert!(matches!(counted(&folder, day, EXACT, first_hour_goes - 1), Told::Counted { .. }));
    assert_eq!(counted(&folder, day, EXACT, first_hour_goes), Told::Expired);
    assert_eq!(counted(&folder, day - 1, EXACT, end), Told::Counted { cells: vec![] }, "nobody came");
}

fn connected(seed: u32, since: Instant) -> Connected {
    let address = Ipv4Addr::from_bits(0xC633_6400 + seed).to_ipv6_mapped().into();
    Connected {
        since,
        address,
        user: user(seed),
        handle: Handle::parse(&format!("Roadrunner {seed}")).unwrap(),
    }
}

#[tokio::test]
async fn what_is_appended_is_held_until_it_is_erased_and_not_after() {
    let data = tempfile::tempdir().unwrap();
    let (log, thread) = ConnectionLog::start(data.path(), DAYS, 100, true).unwrap();
    let before = Instant::now();
    let device = Device { platform: DeviceText::clean("Android"), ..Device::default() };
    log.append(&connected(1, before), Some(device), "tenfour 0.1.0");
    log.append(&connected(2, before), None, "tenfour\u{7} 0.1.0");
    let held = serde_json::to_value(log.held_by(user(1), Position::START).await.unwrap().0).unwrap();
    let fields = held[0].as_object().unwrap();
    assert_eq!((held.as_array().unwrap().len(), fields.len()), (1, 8));
    assert_eq!((&fields["address"], &fields["platform"]), (&"198.51.100.1".into(), &"Android".into()));
    assert_eq!(fields["version"], "tenfour 0.1.0", "what hello says, when the device does not");
    log.erase(user(1)).await.unwrap();
    // A hello that was on its way when its user was erased.
    log.append(&connected(1, before), None, "tenfour 0.1.0");
    assert!(log.held_by(user(1), Position::START).await.unwrap().0.is_empty());
    log.append(&connected(1, Instant::now() + Duration::from_millis(1)), None, "tenfour 0.1.0");
    assert_eq!(
        log.held_by(user(1), Position::START).await.unwrap().0.len(),
        1,
        "who comes again is logged again"
    );
    drop(log);
    thread.join().unwrap();
    assert_eq!(held_by(data.path(), &user(2)).unwrap().len(), 1);
    assert_eq!(users(&Folder::of(data.path())), [user(2), user(1)]);
}

/// One session that connects as fast as it can wrote a row each time: gigabytes an hour.
#[tokio::test]
async fn who_connects_all_the_time_fills_a_share_and_no_disk() {
    const CONNECTS: usize = 2 * LOG_ROWS_PER_USER as usize;
    let data = tempfile::tempdir().unwrap();
    let (log, thread) = ConnectionLog::start(data.path(), DAYS, 100, true).unwrap();
    let hour = || Hour::of(since_epoch().as_secs());
    let began = hour();
    for _ in 0..CONNECTS {
        log.append(&connected(1, Instant::now()), None, "tenfour 0.1.0");
    }
    log.append(&connected(2, Instant::now()), None, "tenfour 0.1.0");
    let (mut rows, mut from) = (0, Position::START);
    loop {
        let (piece, next) = log.held_by(user(1), from).await.unwrap();
        rows += piece.len();
        match next {
            Some(next) => from = next,
            None => break,
        }
    }
    // In two hours there are two shares.
    let most = if hour() == began { usize::from(LOG_ROWS_PER_USER) } else { CONNECTS };
    assert!((usize::from(LOG_ROWS_PER_USER)..=most).contains(&rows), "{rows} rows");
    assert_eq!(log.held_by(user(2), Position::START).await.unwrap().0.len(), 1, "others have their share");
    let figures = log.figures();
    assert_eq!(figures.over_share, (CONNECTS - rows) as u64);
    assert!(figures.day_bytes > 100 * rows as u64);
    drop(log);
    thread.join().unwrap();
}

#[tokio::test]
async fn a_log_that_is_switched_off_writes_nothing_and_still_erases() {
    let (data, folder) =
        written(&[row(1, since_epoch().as_secs(), "linux"), row(2, since_epoch().as_secs(), "linux")]);
    let (log, thread) = ConnectionLog::start(data.path(), DAYS, 100, false).unwrap();
    log.append(&connected(3, Instant::now()), None, "tenfour 0.1.0");
    log.erase(user(1)).await.unwrap();
    drop(log);
    thread.join().unwrap();
    assert_eq!(users(&folder), [user(2)]);
}

/// The worst that can connect: everybody's first row of the hour, all day.
#[test]
fn a_day_has_a_most_and_its_oldest_rows_go() {
    const MOST: u64 = 100_000;
    let (data, folder) = written(&[]);
    let mut writer = Writer::new(folder.clone(), DAYS, MOST, Arc::default());
    let stream =
        (0..3_000).map(|n| (n, NOON + u64::from(n) * 3)).chain((3_000..6_000).map(|n| (n, NOON + 9_000)));
    for (batch, rows) in stream.collect::<Vec<_>>().chunks(50).enumerate() {
        rows.iter().for_each(|(seed, time)| writer.append(&row(*seed, *time, "linux"), Instant::now()));
        writer.write();
        let bytes: u64 = files(&data).iter().map(|(_, file)| file.len() as u64).sum();
        assert!(bytes <= MOST, "{bytes} bytes after batch {batch}");
    }
    let left = users(&folder);
    assert!(left.len() as u64 > MOST / 1_000, "{} rows are left", left.len());
    let newest: Vec<_> = (6_000 - u32::try_from(left.len()).unwrap()..6_000).map(user).collect();
    assert_eq!(left, newest, "the newest, whole and in order");
    assert!(!found(&data, &user(0).to_string()) && !found(&data, "Roadrunner 100\""));
    let day = Hour::of(NOON).day();
    assert!(matches!(counted(&folder, day.0, Rules::default(), NOON + DAY), Told::Cut));
    let yesterday = aggregate_at(&folder, &[Day(day.0 - 1)], DAYS, Rules::default(), NOON).unwrap();
    assert!(matches!(yesterday.days[0].told, Told::Counted { .. }), "other days are whole");
    folder.expire(DAYS, NOON + 9 * DAY).unwrap();
    assert_eq!(names(&data), [""; 0]);
}
