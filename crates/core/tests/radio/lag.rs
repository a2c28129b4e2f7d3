//! How far behind a listener falls when people talk at once, for ten minutes of virtual time.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::harness::*;
use tenfour_core::Time;
use tenfour_core::radio::limits::LAG_LIMIT;
use tenfour_core::radio::{Event, HeardNo, Output, SoundKind};
use tenfour_protocol::ServerMessage;

/// One frame.
const TICK: Duration = Duration::from_millis(20);
/// Ticks in a second.
const SECOND: u32 = 50;

/// Somebody who says so much each so often, in ticks.
struct Talker {
    number: u8,
    length: u32,
    period: u32,
}

/// What became of a burst.
#[derive(Debug, Default)]
struct Burst {
    talker: u8,
    announced: Time,
    /// How long after its announcement it began to play.
    waited: Option<Duration>,
    frames: u32,
    missed: bool,
}

struct Listener {
    harness: Harness,
    bursts: BTreeMap<HeardNo, Burst>,
    next_pull: Time,
}

impl Listener {
    /// Hears these people for ten minutes.
    fn hearing(talkers: &[Talker]) -> Self {
        let harness = Harness::on_the_air();
        let mut listener = Self { harness, bursts: BTreeMap::new(), next_pull: Time::ZERO };
        for tick in 0..600 * SECOND {
            for talker in talkers {
                listener.hear(talker, tick);
            }
            if listener.harness.now >= listener.next_pull {
                listener.pull();
            }
            let out = listener.harness.pass(TICK);
            listener.note(&out);
        }
        listener
    }

    /// What a talker does in this tick.
    fn hear(&mut self, talker: &Talker, tick: u32) {
        let (number, phase) = (tick / talker.period, tick % talker.period);
        let burst = number * 10 + u32::from(talker.number);
        if phase == 0 && tick >= talker.period && talker.length == talker.period {
            let out = self.harness.end(burst - 10, talker.length);
            self.note(&out);
        }
        if phase == 0 {
            let mut message = started(burst, "19");
            if let ServerMessage::BurstStarted { talker: who, .. } = &mut message {
                *who = person(talker.number);
            }
            let heard = no(self.bursts.len() as u32 + 1);
            let burst = Burst { talker: talker.number, announced: self.harness.now, ..Burst::default() };
            self.bursts.insert(heard, burst);
            self.harness.say(message);
        }
        if phase < talker.length {
            self.harness.hear(burst, u16::try_from(phase).expect("a short burst"));
        } else if phase == talker.length {
            let out = self.harness.end(burst, talker.length);
            self.note(&out);
        }
    }

    fn pull(&mut self) {
        let (sound, out) = self.harness.pull();
        self.note(&out);
        self.next_pull = self.harness.now + Duration::from_millis(u64::from(sound.samples / 48));
        if let (Some(heard), SoundKind::Frame(_)) = (sound.heard, sound.kind) {
            self.bursts.get_mut(&heard).expect("it was announced").frames += 1;
        }
    }

    fn note(&mut self, out: &[Output]) {
        for event in events(out) {
            match event {
                Event::PlayStarted { heard, .. } => {
                    let burst = self.bursts.get_mut(heard).expect("it was announced");
                    burst.waited = Some(self.harness.now.since(burst.announced));
                }
                Event::PlayMissed { heard } => {
                    self.bursts.get_mut(heard).expect("it was announced").missed = true;
                }
                _ => {}
            }
        }
    }

    /// The longest that bursts of a talker had to wait, of those that were played, and how many were missed.
    fn of(&self, talker: u8) -> (Duration, usize) {
        let all = || self.bursts.values().filter(|burst| burst.talker == talker);
        let waited = all().filter_map(|burst| burst.waited).max().unwrap_or_default();
        (waited, all().filter(|burst| burst.missed).count())
    }
}

/// Each burst that began is whole, none began too late, and none was both played and missed.
fn judge(listener: &Listener, lengths: impl Fn(u8) -> u32) {
    // The last ones still wait or play.
    let over = listener.bursts.len() - 8;
    for (heard, burst) in listener.bursts.iter().take(over) {
        assert_ne!(burst.waited.is_some(), burst.missed, "{heard:?}: {burst:?}");
        if let Some(waited) = burst.waited {
            assert!(waited <= LAG_LIMIT + ms(100), "{heard:?}: {burst:?}");
            assert_eq!(burst.frames, lengths(burst.talker), "{heard:?}: {burst:?}");
        }
    }
}

#[test]
fn who_talks_all_the_time_keeps_a_person_waiting_no_longer_than_one_burst() {
    // As long as courtesy lets one talk whom others wait for, over and over; and 3 s each 9 s.
    let talkers = [
        Talker { number: 2, length: 8 * SECOND, period: 8 * SECOND },
        Talker { number: 3, length: 3 * SECOND, period: 9 * SECOND },
    ];
    let listener = Listener::hearing(&talkers);
    judge(&listener, |talker| if talker == 2 { 8 * SECOND } else { 3 * SECOND });
    let ((_, missed), (waited, missed_of_person)) = (listener.of(2), listener.of(3));
    assert!(missed > 10, "they say more than there is time for");
    assert_eq!(missed_of_person, 0);
    assert!(waited <= Duration::from_secs(9), "{waited:?}");
    // What was missed lately can be said again.
    let (heard, _) = listener.bursts.iter().rfind(|(_, burst)| burst.missed).expect("some are missed");
    assert!(listener.harness.radio.remembers(*heard));
}

#[test]
fn four_who_talk_all_the_time_are_heard_alike() {
    let talkers = [2, 3, 4, 5].map(|number| Talker { number, length: 8 * SECOND, period: 8 * SECOND });
    let listener = Listener::hearing(&talkers);
    judge(&listener, |_| 8 * SECOND);
    let heard = talkers.map(|talker| {
        let all = listener.bursts.values().filter(|burst| burst.talker == talker.number);
        all.filter(|burst| burst.waited.is_some()).count()
    });
    let (least, most) = (heard.iter().min().expect("four"), heard.iter().max().expect("four"));
    assert!(most - least <= 2 && *least > 10, "{heard:?}");
}
