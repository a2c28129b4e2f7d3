//! Puts the built page into the binary: each file of `web/dist` with its hash and, where that
//! is smaller, compressed. Without a built page, a placeholder says how to build it.

use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};

const PLACEHOLDER: &str = "<!doctype html>
<html lang=\"en\">
<meta charset=\"utf-8\">
<title>Tenfour</title>
<p>The server runs, but the web client was not built into it. Run <code>cargo xtask run</code>.</p>
</html>
";

fn main() -> io::Result<()> {
    let manifest = PathBuf::from(variable("CARGO_MANIFEST_DIR"));
    let dist = manifest.join("../../web/dist");
    // A folder that is missing would be looked for, and everything built anew, each time.
    fs::create_dir_all(&dist)?;
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={}", dist.display());

    let out = PathBuf::from(variable("OUT_DIR"));
    let mut files = Vec::new();
    if dist.join("index.html").is_file() {
        list(&dist, &mut files)?;
        files.sort();
    }
    let mut code = String::from("&[\n");
    for file in &files {
        let path = file.strip_prefix(&dist).expect("found below it").display().to_string();
        embed(&mut code, &out, &path, &fs::read(file)?)?;
    }
    if files.is_empty() {
        embed(&mut code, &out, "index.html", PLACEHOLDER.as_bytes())?;
    }
    code.push(']');
    fs::write(out.join("assets.rs"), code)
}

fn variable(name: &str) -> String {
    std::env::var(name).expect("set by cargo")
}

fn list(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            list(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

/// Copies the bytes to `out`, so that a build of the page meanwhile changes nothing, and
/// writes one entry of the table.
fn embed(code: &mut String, out: &Path, path: &str, bytes: &[u8]) -> io::Result<()> {
    let hash = Sha256::digest(bytes);
    let tag = hash[..12].iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
    let plain = out.join(format!("{tag}.plain"));
    fs::write(&plain, bytes)?;
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    let small = encoder.finish()?;
    let compressed = if small.len() < bytes.len() * 9 / 10 {
        let name = out.join(format!("{tag}.gz"));
        fs::write(&name, small)?;
        format!("Some(include_bytes!({name:?}))")
    } else {
        "None".to_owned()
    };
    writeln!(
        code,
        "    Asset {{ path: {:?}, tag: \"\\\"{tag}\\\"\", plain: include_bytes!({plain:?}), gzip: {compressed} }},",
        format!("/{path}"),
    )
    .expect("a string grows");
    Ok(())
}
