//! Programs that people use: curl and openssl, in each version of TLS.

use std::io::{Read, Write};
use std::process::{Child, Command, Output, Stdio};

use crate::line::{Door, Mode};
use crate::peer::honest_are_served;
use crate::server::Server;

/// A program with a time limit; its errors are among what it says.
fn start(program: &str, arguments: &[&str]) -> Child {
    let mut command = Command::new("sh");
    command.args(["-c", r#"exec timeout 20 "$0" "$@" 2>&1"#, program]).args(arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("there is a shell")
}

/// The same to its end, with what is typed into it.
fn run(program: &str, arguments: &[&str], typed: &str) -> Output {
    let mut child = start(program, arguments);
    child.stdin.take().expect("piped").write_all(typed.as_bytes()).expect("it reads");
    child.wait_with_output().expect("it ends")
}

/// Types each line when the words before it were said; what was said in all. The last words end it.
fn converse(program: &str, arguments: &[&str], lines: &[(&str, &str)], last: &str) -> String {
    let mut child = start(program, arguments);
    let (mut pipe, mut output) = (child.stdin.take().expect("piped"), child.stdout.take().expect("piped"));
    let mut said = String::new();
    let mut wait_for = |words: &str| {
        let mut buffer = [0; 4096];
        while !said.contains(words) {
            let read = output.read(&mut buffer).expect("it is piped");
            assert!(read > 0, "it ended before it said {words}: {said}");
            said += &String::from_utf8_lossy(&buffer[..read]);
        }
    };
    for (words, line) in lines {
        wait_for(words);
        pipe.write_all(line.as_bytes()).expect("it reads");
    }
    wait_for(last);
    drop(pipe);
    child.wait().expect("it ends");
    said
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The file of the certificate.
fn certificate(server: &Server) -> String {
    server.data().join("self-signed.pem").to_str().expect("text").to_owned()
}

/// A request, after which the server closes.
fn last_ask(door: Door) -> String {
    format!("GET /privacy HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n", door.address)
}

#[test]
fn curl_gets_pages_in_either_version_and_in_no_older_one() {
    let server = Server::start(Mode::Tls13);
    let certificate = certificate(&server);
    let page = format!("{}/privacy", server.door().origin());
    for (version, name) in [("1.2", "TLSv1.2"), ("1.3", "TLSv1.3")] {
        let exact = ["--tls-max", version, &format!("--tlsv{version}")];
        // Two requests on one connection.
        let arguments = [&["-sSv", "--cacert", &certificate][..], &exact, &[&page, &page]].concat();
        let output = run("curl", &arguments, "");
        let said = said(&output);
        assert!(output.status.success(), "{said}");
        assert!(said.contains(&format!("SSL connection using {name}")), "{said}");
        assert_eq!(said.matches("HTTP/1.1 200").count(), 2, "{said}");
        assert!(said.contains("e-using") && said.matches("</html>").count() == 2, "{said}");
    }
    let old = run(
        "curl",
        &["-sS", "--cacert", &certificate, "--tls-max", "1.1", "--ciphers", "ALL@SECLEVEL=0", &page],
        "",
    );
    assert!(!old.status.success(), "{}", said(&old));
}

#[test]
fn openssl_gets_a_page_in_either_version_and_in_no_older_one() {
    let server = Server::start(Mode::Tls13);
    let certificate = certificate(&server);
    let address = server.door().address.to_string();
    let client = |flags: &[&str], typed: &str| {
        let common =
            ["s_client", "-connect", &address, "-CAfile", &certificate, "-verify_return_error", "-ign_eof"];
        run("openssl", &[&common[..], flags].concat(), typed)
    };
    for (flag, name) in [("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")] {
        let output = client(&[flag], &last_ask(server.door()));
        let said = said(&output);
        assert!(
            said.contains(&format!("New, {name}, Cipher is ")) && said.contains("Verification: OK"),
            "{said}"
        );
        assert!(said.contains("HTTP/1.1 200") && said.contains("</html>"), "{said}");
    }
    let old = client(&["-tls1_1", "-cipher", "ALL@SECLEVEL=0"], "");
    assert!(!old.status.success() && said(&old).contains("alert"), "{}", said(&old));
    // A letter alone on a line is a command: R renegotiates, K updates the keys of both sides.
    let typed = ["s_client", "-connect", &address, "-CAfile", &certificate];
    let renegotiates = [&typed[..], &["-tls1_2"]].concat();
    converse("openssl", &renegotiates, &[("Verify return code: 0", "R\n")], "RENEGOTIATING");
    assert!(honest_are_served(server.door()));
    let updates = [&typed[..], &["-tls1_3"]].concat();
    let (ask, said) = (last_ask(server.door()), "HTTP/1.1 200");
    converse("openssl", &updates, &[("Verify return code: 0", "K\n"), ("KEYUPDATE", &ask)], said);
}
