//! What the server's process used, from `/proc`.

use std::time::Duration;

use anyhow::{Context, Result};

/// Length of a tick in `/proc/PID/stat`: USER_HZ is 100 on every Linux this runs on.
const TICK: Duration = Duration::from_millis(10);

/// A process that is measured.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Process(pub(crate) u32);

impl Process {
    /// CPU that it has used, user and system together.
    pub(crate) fn cpu(self) -> Result<Duration> {
        cpu_of(&self.file("stat")?).context("/proc/PID/stat is not understood")
    }

    /// CPU of the thread that has used most.
    pub(crate) fn busiest_thread(self) -> Result<Duration> {
        let mut most = Duration::ZERO;
        for task in std::fs::read_dir(format!("/proc/{}/task", self.0))? {
            // A thread may end in between.
            let stat = std::fs::read_to_string(task?.path().join("stat")).unwrap_or_default();
            most = most.max(cpu_of(&stat).unwrap_or_default());
        }
        Ok(most)
    }

    /// Resident memory, in bytes.
    pub(crate) fn resident(self) -> Result<u64> {
        kib_of(&self.file("status")?, "VmRSS:").context("/proc/PID/status has no VmRSS")
    }

    /// The most resident memory that it ever had, in bytes.
    pub(crate) fn most_resident(self) -> Result<u64> {
        kib_of(&self.file("status")?, "VmHWM:").context("/proc/PID/status has no VmHWM")
    }

    /// Open files.
    pub(crate) fn files(self) -> Result<usize> {
        let path = format!("/proc/{}/fd", self.0);
        Ok(std::fs::read_dir(&path).with_context(|| format!("{path}: the server is not running"))?.count())
    }

    fn file(self, name: &str) -> Result<String> {
        let path = format!("/proc/{}/{name}", self.0);
        std::fs::read_to_string(&path).with_context(|| format!("{path}: the server is not running"))
    }
}

/// User and system ticks are the 14th and 15th field. The name before them is in parentheses and may have spaces and
/// parentheses itself, so fields count from the last one.
fn cpu_of(stat: &str) -> Option<Duration> {
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let user: u32 = fields.next()?.parse().ok()?;
    let system: u32 = fields.next()?.parse().ok()?;
    Some(TICK * (user + system))
}

/// A line of kibibytes, in bytes.
fn kib_of(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_is_read_though_the_name_has_spaces_and_parentheses() {
        let stat = "17 (a (b) c) S 1 17 17 0 -1 4194560 100 0 0 0 123 77 5 6 20 0 3 0 900 1000 200";
        assert_eq!(cpu_of(stat), Some(Duration::from_millis(2000)));
        assert_eq!(cpu_of("17 (a"), None);
    }

    #[test]
    fn resident_memory_is_read_in_bytes() {
        assert_eq!(kib_of("Name:\tx\nVmRSS:\t    2048 kB\nRssAnon: 1 kB\n", "VmRSS:"), Some(2 * 1024 * 1024));
        assert_eq!(kib_of("Name:\tx\n", "VmRSS:"), None);
    }

    #[test]
    fn this_process_has_used_memory() {
        let me = Process(std::process::id());
        assert!(me.resident().unwrap() > 100_000);
        assert!(me.cpu().unwrap() >= me.busiest_thread().unwrap());
    }
}
