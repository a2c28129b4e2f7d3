//! The commands of docs/gateways.md do what they say.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use crate::host::{Host, Running, tenfour};
use crate::speech::{speech, write};
use crate::voice::value;

/// Each block of shell in the document.
fn recipes() -> Vec<String> {
    let text = include_str!("../../../../docs/gateways.md");
    let blocks = text.split("```sh\n").skip(1);
    blocks.map(|block| block.split("```").next().unwrap().to_owned()).collect()
}

/// A program at the front of the path.
fn program(folder: &Path, name: &str, script: &str) {
    let path = folder.join(name);
    std::fs::write(&path, script).unwrap();
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
}

/// Runs a recipe to its end, in the folder of `host`.
fn run(host: &Host, recipe: &str) -> Running {
    let path = format!("{}:{}", host.path("bin").display(), std::env::var("PATH").unwrap());
    let mut shell = Command::new("timeout");
    shell.args(["60", "sh", "-ec", recipe]).current_dir(host.folder.path()).env("PATH", path);
    shell.env("TENFOUR_SERVER", &host.url).env("TENFOUR_KEY", host.path("weather.key"));
    Running::start(shell)
}

#[test]
fn the_recipes_for_gateways_work() {
    let host = Host::start();
    let bin = host.path("bin");
    std::fs::create_dir(&bin).unwrap();
    let binary = tenfour().get_program().to_owned();
    std::os::unix::fs::symlink(binary, bin.join("tenfour")).unwrap();
    write(&host.path("call.wav"), &speech(1.5));
    // A receiver: there is none here, so that its place is taken by two calls with a pause between them.
    let samples = "ffmpeg -loglevel error -nostdin -i call.wav -f s16le -ar 48000 -ac 1 -";
    program(&bin, "rtl_fm", &format!("#!/bin/sh\n{samples}; sleep 1.5; {samples}; sleep 1.5\n"));
    let made = run(&host, "ffmpeg -loglevel error -i call.wav announcement.mp3").end();
    assert_eq!(made.code, Some(0), "{}", made.err);

    let mut ran = 0;
    for recipe in recipes() {
        let bursts = match recipe.matches("talk").count() {
            _ if recipe.contains("--vox") => 2,
            talks => talks,
        };
        // The first block names another server and key than those of the test.
        let recipe: String =
            recipe.lines().filter(|line| !line.starts_with("export ")).collect::<Vec<_>>().join("\n");
        let mut listener =
            (bursts > 0).then(|| host.listen("Bob", &["--bursts", &bursts.to_string(), "--json"]));
        let running = run(&host, &recipe);
        if recipe.contains("tenfour listen") {
            running.said("Ready:");
            let talk = host.talk("Cat", &[host.path("call.wav").to_str().unwrap()]).end();
            assert_eq!(talk.code, Some(0), "{}", talk.err);
        }
        let ended = running.end();
        assert_eq!(ended.code, Some(0), "{recipe}\n{}", ended.err);
        for _ in 0..bursts {
            let line = listener.as_mut().unwrap().line();
            assert_eq!(
                (value(&line, "gaps"), value(&line, "reason")),
                (0.into(), "released".into()),
                "{recipe}"
            );
            assert!(value(&line, "duration").as_f64().unwrap() > 1.0, "{recipe}\n{line}");
        }
        ran += 1;
    }
    assert_eq!(ran, 7, "a recipe was added or removed");
    let stream = std::fs::metadata(host.path("stream.mp3")).unwrap().len();
    assert!(stream > 20_000, "a stream of {stream} bytes");
    let line = std::fs::read_to_string(host.path("heard.jsonl")).unwrap();
    assert!(host.path(value(&line, "file").as_str().unwrap()).exists(), "{line}");
}
