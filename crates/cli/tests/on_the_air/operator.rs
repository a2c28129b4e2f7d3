//! The operator's door, `operator.sock` in the data folder: who may ask, and what is left of it.

use std::fs::{self, Permissions};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use rustix::process::geteuid;

use crate::host::{Ended, Host, Running, tenfour};

/// The user `nobody`.
const NOBODY: u32 = 65_534;

fn admin(data: &Path, arguments: &[&str]) -> Command {
    let mut program = tenfour();
    program.arg("admin").args(arguments).arg("--data").arg(data);
    program
}

fn inbox(data: &Path) -> Ended {
    Running::start(admin(data, &["inbox", "--json"])).end()
}

fn write(host: &Host, text: &str) {
    let mut program = tenfour();
    program.args(["contact", "--server", &host.url, "--key"]).arg(host.path("Ann.key")).arg(text);
    assert_eq!(Running::start(program).end().code, Some(0));
}

/// A server on a data folder, for as long as it is kept.
fn serve(program: &mut Command, data: &Path) -> Running {
    program.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(data);
    let mut server = Running::start(std::mem::replace(program, Command::new("true")));
    assert!(server.line().contains("on the air"));
    server
}

#[test]
fn the_operator_asks_the_server_or_its_store_and_a_killed_server_is_in_nobodys_way() {
    let mut host = Host::start();
    assert_eq!(host.run("Ann", "whoami", &[]).end().code, Some(0));
    write(&host, "Quail of Xylo");
    let data = host.path("data");
    let socket = data.join("operator.sock");
    let is_socket = || fs::symlink_metadata(&socket).is_ok_and(|file| file.file_type().is_socket());
    assert_eq!(fs::metadata(&socket).unwrap().mode() & 0o777, 0o600);
    let asked = inbox(&data);
    assert_eq!((asked.code, asked.out.lines().count()), (Some(0), 1), "{}", asked.err);

    host.kill();
    assert!(is_socket(), "what a killed server leaves");
    assert_eq!(inbox(&data).out, asked.out, "read from the store");
    let stale = fs::metadata(&socket).unwrap().ino();
    host.start_again();
    assert_ne!(fs::metadata(&socket).unwrap().ino(), stale);
    assert_eq!(inbox(&data).out, asked.out, "told by the server");

    let second = Running::start({
        let mut program = tenfour();
        program.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(&data);
        program
    });
    let second = second.end();
    assert!(second.code == Some(1) && second.err.contains("in use"), "{}", second.err);
    assert_eq!(inbox(&data).out, asked.out, "the first one still answers");

    host.stop();
    assert!(!is_socket(), "a server that was stopped leaves none");
    let removed = Running::start(admin(&data, &["inbox", "--remove", "1"])).end();
    assert!(removed.code == Some(0) && removed.err.contains("overwritten"), "{}", removed.err);
}

#[test]
fn a_folder_with_a_long_path_has_a_door_too() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("x".repeat(120)).join("data");
    let _server = serve(&mut tenfour(), &data);
    assert!(data.join("operator.sock").exists());
    let asked = inbox(&data);
    assert_eq!((asked.code, asked.out.as_str()), (Some(0), ""), "{}", asked.err);
}

/// As root, since only root can be somebody else.
#[test]
fn root_and_the_user_of_the_server_may_ask_and_nobody_else() {
    if !geteuid().is_root() {
        eprintln!("not root: nothing was tried");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    // For whoever is not root: the folders of builds may be closed to others.
    let binary = folder.path().join("tenfour");
    fs::copy(env!("CARGO_BIN_EXE_tenfour"), &binary).unwrap();
    let open = |path: &Path| fs::set_permissions(path, Permissions::from_mode(0o755)).unwrap();
    open(folder.path());
    open(&binary);
    let by = |user: u32, data: &Path| {
        let mut program = Command::new(&binary);
        program.args(["admin", "inbox", "--data"]).arg(data).uid(user).gid(user).env("HOME", folder.path());
        Running::start(program).end()
    };
    let (own, foreign) = (folder.path().join("own"), folder.path().join("foreign"));
    for data in [&own, &foreign] {
        fs::create_dir(data).unwrap();
        open(data);
    }
    chown(&own, Some(NOBODY), Some(NOBODY)).unwrap();
    let _servers = [
        serve(Command::new(&binary).uid(NOBODY).gid(NOBODY).env("HOME", folder.path()), &own),
        serve(&mut tenfour(), &foreign),
    ];
    for (user, data) in [(0, &own), (NOBODY, &own), (0, &foreign)] {
        let asked = by(user, data);
        assert_eq!(asked.code, Some(0), "{user}: {}", asked.err);
    }
    let refused = by(NOBODY, &foreign);
    assert!(refused.code == Some(1) && refused.err.contains("run this as root"), "{}", refused.err);
}
