//! The corpus of the fuzz targets, replayed: what broke a decoder once does not break it again.

#[path = "../../../fuzz/decoders.rs"]
mod decoders;

use std::path::Path;

fn replay(target: &str, decode: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
    let mut inputs = 0;
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        println!("{}", path.display());
        decode(&std::fs::read(path).unwrap());
        inputs += 1;
    }
    assert!(inputs > 0, "no corpus in {}", folder.display());
}

macro_rules! targets {
    ($($target:ident),*) => {
        $(#[test] fn $target() { replay(stringify!($target), decoders::$target); })*

        #[test]
        fn every_target_is_replayed() {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/fuzz_targets");
            let mut targets: Vec<_> = std::fs::read_dir(folder)
                .unwrap()
                .map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
                .collect();
            targets.sort();
            let mut replayed = vec![$(stringify!($target).to_owned()),*];
            replayed.sort();
            assert_eq!(targets, replayed);
        }
    };
}

targets!(
    voice_frame,
    opus_packet,
    client_message,
    node_message,
    server_message,
    text_types,
    tls_session,
    uplink,
    websocket,
    wav
);
