//! The rights that the process gives up before it serves anybody.
//!
//! It writes to the data folder only, which has the operator's socket too. It opens no TCP connection, or only to
//! the ports of its NATS. Only root reads its memory, and no core dump is written. The first two need Landlock
//! (Linux 5.13 and 6.7); without it the server goes on, and says so. It may still read files: certificates are read
//! again.

use std::path::Path;

#[cfg(target_os = "linux")]
use landlock::{
    ABI, AccessFs, AccessNet, CompatLevel, Compatible, NetPort, PathBeneath, PathFd, Ruleset, RulesetAttr,
    RulesetCreatedAttr, RulesetError,
};

/// What the kernel has granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "the operator is told"]
pub struct Confinement {
    /// Files are written below the data folder and nowhere else.
    pub writes: bool,
    /// TCP connections go to the named ports only.
    pub calls: bool,
    /// Nobody but root can read the memory.
    pub memory: bool,
}

impl Confinement {
    /// Tells the operator.
    pub fn tell(self) {
        let Self { writes, calls, memory } = self;
        if writes && calls && memory {
            tracing::info!(writes, calls, memory, "the server has confined itself");
        } else {
            tracing::info!(
                writes,
                calls,
                memory,
                "the server has confined itself as far as this kernel can; nothing else depends on it"
            );
        }
    }
}

/// Confines this thread and all that it starts, for good. Call it before there are other threads. `data` has to be
/// there. `ports` are those of NATS; without a cluster there are none.
#[cfg(target_os = "linux")]
pub fn confine(data: &Path, ports: &[u16]) -> Confinement {
    use rustix::process::{DumpableBehavior, set_dumpable_behavior};
    Confinement {
        memory: set_dumpable_behavior(DumpableBehavior::NotDumpable).is_ok(),
        // Two rulesets, so that an older kernel, which cannot restrict TCP, still enforces the other.
        writes: write_below(data).is_ok(),
        calls: call_only(ports).is_ok(),
    }
}

/// Confines nothing: we know no way to do it on this system.
#[cfg(not(target_os = "linux"))]
pub fn confine(_data: &Path, _ports: &[u16]) -> Confinement {
    Confinement { writes: false, calls: false, memory: false }
}

/// On an error nothing is confined.
#[cfg(target_os = "linux")]
fn write_below(data: &Path) -> Result<(), Box<dyn std::error::Error>> {
    // What the first kernels with Landlock call writing; truncating came later, and is best effort.
    let least = AccessFs::from_write(ABI::V1);
    let folder = PathFd::new(data)?;
    Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(least)?
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_write(ABI::V3))?
        .create()?
        .add_rule(PathBeneath::new(folder, AccessFs::from_write(ABI::V3)))?
        .restrict_self()?;
    Ok(())
}

#[cfg(target_os = "linux")]
fn call_only(ports: &[u16]) -> Result<(), RulesetError> {
    let rules = ports.iter().map(|port| Ok::<_, RulesetError>(NetPort::new(*port, AccessNet::ConnectTcp)));
    Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessNet::ConnectTcp)?
        .create()?
        .add_rules(rules)?
        .restrict_self()?;
    Ok(())
}
