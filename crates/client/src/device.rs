//! What a native program says about its machine, for the server's connection log. It does not read what names a
//! single machine, such as a serial number or a host name.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use tenfour_protocol::{Device, DeviceText};

/// Where Linux shows who made a PC, and its model.
const VENDOR: &str = "sys/class/dmi/id/sys_vendor";
const PRODUCT: &str = "sys/class/dmi/id/product_name";
/// The same on a board without such firmware: maker and model in one text that ends with a zero.
const BOARD: &str = "proc/device-tree/model";
/// Most bytes that are read of a file. What is kept is shorter.
const MAX_BYTES: u64 = 256;
/// What the files contain if a maker has written nothing.
const NOTHING: [&str; 5] = [
    "To Be Filled By O.E.M.",
    "System manufacturer",
    "System Product Name",
    "Default string",
    "Not Specified",
];

/// What is known of this machine and of `program`, its name and version.
pub(crate) fn device(program: &str) -> Device {
    let (manufacturer, model) = machine(Path::new("/"));
    let platform = DeviceText::clean(platform(std::env::consts::OS));
    Device { manufacturer, model, platform, version: DeviceText::clean(program) }
}

/// The name that browsers use for a system.
fn platform(system: &str) -> &str {
    match system {
        "android" => "Android",
        "ios" => "iOS",
        "linux" => "Linux",
        "macos" => "macOS",
        "windows" => "Windows",
        other => other,
    }
}

/// Maker and model, as far as the system below `root` says.
fn machine(root: &Path) -> (DeviceText, DeviceText) {
    let (vendor, product) = (word(&root.join(VENDOR)), word(&root.join(PRODUCT)));
    if product.is_empty() { (vendor, word(&root.join(BOARD))) } else { (vendor, product) }
}

/// The text in a file; empty if there is none.
fn word(path: &Path) -> DeviceText {
    let mut bytes = Vec::new();
    // No such file, or none that everybody may read.
    File::open(path).and_then(|file| file.take(MAX_BYTES).read_to_end(&mut bytes)).ok();
    let text = DeviceText::clean(&String::from_utf8_lossy(&bytes));
    if NOTHING.iter().any(|nothing| nothing.eq_ignore_ascii_case(text.as_str())) {
        return DeviceText::default();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A system with these files.
    fn system(files: &[(&str, &[u8])]) -> (String, String) {
        let root = tempfile::tempdir().unwrap();
        for (name, bytes) in files {
            let path = root.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        }
        let (manufacturer, model) = machine(root.path());
        (manufacturer.into(), model.into())
    }

    #[test]
    fn a_machine_is_what_its_system_says() {
        let said = |one: &str, other: &str| (one.to_owned(), other.to_owned());
        assert_eq!(system(&[(VENDOR, b"LENOVO\n"), (PRODUCT, b"21HM\n")]), said("LENOVO", "21HM"));
        assert_eq!(system(&[(BOARD, b"Raspberry Pi 5 Model B\0")]), said("", "Raspberry Pi 5 Model B"));
        assert_eq!(
            system(&[(VENDOR, b"Default String\n"), (PRODUCT, b"System Product Name\n")]),
            said("", "")
        );
        assert_eq!(system(&[]), said("", ""));
    }

    #[test]
    fn what_is_there_is_bounded_and_cleaned() {
        let (manufacturer, model) = system(&[(VENDOR, &[b'x'; 10_000]), (PRODUCT, b"\x1b[2J\xff\r\n1")]);
        assert_eq!((manufacturer.len(), model.as_str()), (64, "[2J\u{fffd} 1"));
    }

    #[test]
    fn a_platform_has_the_name_that_browsers_give_it() {
        let device = device("tenfour-cli 0.1.0");
        assert_eq!(device.version.as_str(), "tenfour-cli 0.1.0");
        assert_eq!(device.platform.as_str().to_lowercase(), std::env::consts::OS);
        assert_eq!((platform("linux"), platform("macos"), platform("plan9")), ("Linux", "macOS", "plan9"));
    }
}
