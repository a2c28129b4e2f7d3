//! From the press at one page to the loudspeaker of another: two browsers with a server between.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::gates::{self, Verdict};
use super::servers::{ALL_CORES, pinned};
use super::statistics::Spread;
use super::users::Figures;
use crate::shell::{run, target};
use crate::{packages, web};

/// The browser test that measures it.
const TEST: &str = "voice leaves with the press and is heard without delay";
const RUNS: usize = 3;

/// The text and the verdicts.
pub(super) fn to_page() -> Result<(String, [Verdict; 3])> {
    packages::require_all()?;
    web::install()?;
    let figures: Result<Vec<Figures>> = (0..RUNS).map(|_| measured()).collect();
    let figures = figures?;
    let spread = |path| Spread::of(figures.iter().map(|figures| figures.number(path)));
    let (press, way, late) = (spread("press50"), spread("way50"), spread("way99"));
    let text = format!(
        "`npm run e2e -- -g '{TEST}'` in `web/`, with the release binary: two Chromiums on this machine, one with a \
         file as its microphone, 31 presses, heard at the other. The first press opens the microphone, and is not among \
         the presses; the first burst opens the listener's loudspeaker, and is judged with all others. Browsers, server and \
         test share all cores: browsers on one are late by themselves. Medians of {RUNS} runs.\n\n\
         | from | to | p50 ms | p95 ms | p99 ms |\n|---|---|---|---|---|\n\
         | press | first voice frame at the socket | {} | {} | |\n\
         | microphone | the listener's worklet | {} | | {} |\n\
         | microphone, after the first burst | the listener's worklet | {} | | {} |\n",
        press.text(1),
        spread("press95").text(1),
        way.text(0),
        late.text(0),
        spread("warm50").text(0),
        spread("warm99").text(0),
    );
    let verdicts = [
        gates::P7_PRESS.judge(press.median),
        gates::P7_WAY_P50.judge(way.median),
        gates::P7_WAY_P99.judge(late.median),
    ];
    Ok((text, verdicts))
}

fn measured() -> Result<Figures> {
    let data = tempfile::tempdir()?;
    let file = data.path().join("figures.json");
    let mut npm = pinned(ALL_CORES, Path::new("npm"));
    npm.current_dir("web").args(["run", "e2e", "--", "-g", TEST]);
    run(npm.env("TENFOUR_BIN", target().join("release/tenfour")).env("TENFOUR_FIGURES", &file))?;
    let figures = fs::read(&file).context("the browser test left no figures")?;
    Ok(Figures(serde_json::from_slice(&figures)?))
}
