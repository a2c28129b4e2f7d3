#![no_main]
#[path = "../decoders.rs"]
#[allow(dead_code, reason = "each target is one of them")]
mod decoders;

libfuzzer_sys::fuzz_target!(|data: &[u8]| decoders::tls_session(data));
