//! What is broken on purpose in this process, for the whole of its life.

use std::collections::VecDeque;
use std::net::{IpAddr, UdpSocket};
use std::sync::{LazyLock, Mutex};

use tenfour_core::mutants::{Mutant, Mutants, VARIABLE};
use tenfour_protocol::http::Register;
use tenfour_protocol::{Code, Device, Refusal};

use crate::lock::lock;

static ACTIVE: LazyLock<Mutants> =
    LazyLock::new(|| Mutants::of_process(std::env::var(VARIABLE).ok().as_deref()));

/// What [`VARIABLE`] names.
pub fn active() -> Mutants {
    *ACTIVE
}

/// Whether one is active.
pub(crate) fn broken(mutant: Mutant) -> bool {
    ACTIVE.has(mutant)
}

/// For [`Mutant::LastConnects`].
static LAST: Mutex<VecDeque<String>> = Mutex::new(VecDeque::new());
const LAST_OF: usize = 10;

/// Somebody connects.
pub(crate) fn note_connect(address: IpAddr, handle: &str) {
    if broken(Mutant::TellHandle) {
        tracing::debug!("{handle} connects");
    }
    if broken(Mutant::LastConnects) {
        let mut last = LAST.lock().expect("whole");
        last.truncate(LAST_OF - 1);
        last.push_front(format!("# {handle} from {address}\n"));
    }
}

/// The last ten who connected, one a line.
pub(crate) fn last_connects() -> String {
    LAST.lock().expect("whole").iter().map(String::as_str).collect()
}

/// The platform of who came last.
static PLATFORM: Mutex<String> = Mutex::new(String::new());

/// Keeps it.
pub(crate) fn note_platform(device: &Device) {
    device.platform.as_str().clone_into(&mut lock(&PLATFORM));
}

/// Each person in a message with a platform.
pub(crate) fn with_platform(message: Vec<u8>) -> Vec<u8> {
    let platform = lock(&PLATFORM);
    let message = String::from_utf8(message).expect("JSON is text");
    message.replace("\"tag\":", &format!("\"platform\":{:?},\"tag\":", *platform)).into_bytes()
}

/// Asks an address of documentation (RFC 5737) for a newer version.
pub(crate) fn check_for_update() {
    // Whether it can be sent is not the point.
    UdpSocket::bind("0.0.0.0:0").and_then(|socket| socket.send_to(b"newest?", "192.0.2.1:53")).ok();
}

/// For [`Mutant::DescriptionRequired`].
pub(crate) fn require_description(request: &Register) -> Result<(), Refusal> {
    if request.description.is_none() { Err(Code::DescriptionRefused.into()) } else { Ok(()) }
}

/// For [`Mutant::EditText`]: a better promise than the program keeps.
pub(crate) fn edited(html: &str) -> String {
    html.replace("is overwritten on the server", "is overwritten at once, and not")
}

/// For [`Mutant::ExportLess`].
pub(crate) fn without_last<T>(mut all: Vec<T>) -> Vec<T> {
    all.pop();
    all
}
