//! What the tools of the trade write is read as the sound that it is, or refused with its name.

use std::path::Path;
use std::process::{Command, Stdio};

use tenfour_client::{recording, wav};

use crate::tone::{differs, tone};

const SECONDS: f32 = 2.0;

/// What is written, how, and how much else a codec may add, of the energy.
const READ: [(&str, &str, f32); 27] = [
    ("u8.wav", "ffmpeg -c:a pcm_u8", 0.01),
    ("s16.wav", "ffmpeg -c:a pcm_s16le", 0.001),
    ("s24.wav", "ffmpeg -c:a pcm_s24le", 0.001),
    ("s32.wav", "ffmpeg -c:a pcm_s32le", 0.001),
    ("f32.wav", "ffmpeg -c:a pcm_f32le", 0.001),
    ("f64.wav", "ffmpeg -c:a pcm_f64le", 0.001),
    ("alaw.wav", "ffmpeg -c:a pcm_alaw -ar 8000", 0.01),
    ("mulaw.wav", "ffmpeg -c:a pcm_mulaw -ar 8000", 0.01),
    ("adpcm_ms.wav", "ffmpeg -c:a adpcm_ms", 0.02),
    ("adpcm_ima.wav", "ffmpeg -c:a adpcm_ima_wav", 0.02),
    ("rf64.wav", "ffmpeg -rf64 always", 0.001),
    ("stereo.wav", "ffmpeg -af pan=stereo|c0=c0|c1=c0 -ar 44100", 0.001),
    ("six.wav", "ffmpeg -af pan=5.1|c0=c0|c1=c0|c2=c0|c3=c0|c4=c0|c5=c0", 0.001),
    ("sound.aiff", "ffmpeg", 0.001),
    ("sound.aifc", "sox -e float -b 32", 0.001),
    ("sound.flac", "ffmpeg", 0.001),
    ("sound.mp3", "ffmpeg", 0.01),
    ("bare.mp3", "ffmpeg -id3v2_version 0 -write_xing 0 -ac 1 -b:a 32k -ar 22050", 0.02),
    ("layer2.mp3", "ffmpeg -c:a mp2 -b:a 64k -f mp2", 0.01),
    ("vorbis.ogg", "ffmpeg -c:a libvorbis", 0.02),
    ("opus.ogg", "ffmpeg -c:a libopus", 0.02),
    ("flac.ogg", "ffmpeg -c:a flac", 0.001),
    ("aac.m4a", "ffmpeg -c:a aac", 0.02),
    ("alac.m4a", "ffmpeg -c:a alac", 0.001),
    ("browser.webm", "ffmpeg -c:a libopus", 0.02),
    ("sound.caf", "ffmpeg", 0.001),
    ("sound.aac", "ffmpeg -c:a aac -f adts", 0.02),
];

/// What is written, how, and what its refusal has to name.
const REFUSED: [(&str, &str, &str); 7] = [
    ("sound.au", "ffmpeg", "Sun audio (au)"),
    ("sound.w64", "ffmpeg", "Wave64"),
    ("sound.wma", "ffmpeg", "Windows Media"),
    ("sound.wv", "ffmpeg", "WavPack"),
    ("mp3.wav", "ffmpeg -c:a libmp3lame", "MP3"),
    ("gsm.wav", "sox -e gsm-full-rate -r 8000", "GSM"),
    ("sound.voc", "sox", "Creative Voice"),
];

/// Tone to `path`, as this tool writes it.
fn write(source: &Path, path: &Path, how: &str) {
    let mut words = how.split(' ');
    let tool = words.next().unwrap();
    let mut command = Command::new("timeout");
    command.arg("60").arg(tool);
    match tool {
        "ffmpeg" => command.args(["-nostdin", "-loglevel", "error", "-y", "-i"]).arg(source).args(words),
        _ => command.arg(source).args(words),
    };
    let made = command.arg(path).stdin(Stdio::null()).output().unwrap();
    assert!(made.status.success(), "{how}: {}", String::from_utf8_lossy(&made.stderr));
}

fn source(folder: &Path) -> std::path::PathBuf {
    let source = folder.join("source.wav");
    let mut file = wav::Writer::create(&source).unwrap();
    file.write(&tone(48_000, SECONDS)).unwrap();
    file.finish().unwrap();
    source
}

/// What is wrong with what `read` makes of each: it gets the name, the path, and how much else may be in it.
fn wrong(read: impl Fn(&str, &Path, f32) -> Option<String>) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let source = source(folder.path());
    let each = READ.iter().filter_map(|(name, how, noise)| {
        let path = folder.path().join(name);
        write(&source, &path, how);
        read(name, &path, *noise).map(|why| format!("{name}: {why}"))
    });
    each.collect()
}

/// A codec's own delay is a frame of 1,024 samples or two at either end.
fn is_not_the_tone(heard: Result<Vec<f32>, String>, noise: f32) -> Option<String> {
    heard.map_or_else(Some, |heard| differs(&heard, SECONDS, 0.1, noise))
}

#[test]
fn what_tools_write_is_read_with_its_pitch_level_and_length() {
    let wrong = wrong(|_, path, noise| {
        is_not_the_tone(recording::read(path).map_err(|error| error.to_string()), noise)
    });
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn what_comes_through_a_pipe_is_read_like_a_file() {
    let wrong = wrong(|name, path, noise| match through_pipe(&std::fs::read(path).unwrap()) {
        Err(why) if name.ends_with("m4a") || name.ends_with("caf") => {
            (!why.contains("Name the file")).then_some(why)
        }
        heard => is_not_the_tone(heard, noise),
    });
    assert!(wrong.is_empty(), "{wrong:#?}");
}

fn through_pipe(bytes: &[u8]) -> Result<Vec<f32>, String> {
    let (first, rest) = bytes.split_at(bytes.len().min(recording::FIRST_BYTES));
    let rest = std::io::Cursor::new(rest.to_vec());
    let mut recording = recording::Recording::through_pipe(first.to_vec(), rest).ok_or("unknown")??;
    let mut all = Vec::new();
    while let Some(more) = recording.block()? {
        all.extend(more);
    }
    Ok(all)
}

#[test]
fn what_is_not_read_is_refused_by_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let source = source(folder.path());
    for (name, how, format) in REFUSED {
        let path = folder.path().join(name);
        write(&source, &path, how);
        let refusal = recording::read(&path).unwrap_err().to_string();
        assert!(refusal.contains(format) && refusal.contains(name), "{refusal}");
    }
}

#[test]
fn a_voice_that_a_program_speaks_into_a_pipe_is_read() {
    let spoken =
        Command::new("timeout").args(["60", "espeak-ng", "--stdout", "break break"]).output().unwrap();
    assert!(spoken.status.success(), "{}", String::from_utf8_lossy(&spoken.stderr));
    let samples = (spoken.stdout.len() - 44) / 2;
    let heard = recording::decode(spoken.stdout).unwrap();
    assert!(heard.len().abs_diff(samples * 48_000 / 22_050) <= 1, "{} of {samples}", heard.len());
}
