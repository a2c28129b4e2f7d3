//! A server is killed while it erases somebody, at any moment of it: the user is there or is gone,
//! and of who is gone no byte is in the files.

use std::time::Duration;

use tenfour_client::{Error, Identity, Server, log_in};

use crate::account::{hits, traces};
use crate::host::Host;

/// Erasures that are cut off. An erasure takes some 10 ms.
const ROUNDS: u64 = 24;

#[test]
fn an_erasure_that_was_cut_off_is_done_or_not_and_leaves_nothing() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.unwrap().block_on(rounds());
}

async fn rounds() {
    let mut host = Host::start();
    let data = host.path("data");
    let server = Server::new(&host.url, None).unwrap();
    // Somebody who stays, and rows around those who go.
    let stays = Identity::generate().unwrap();
    log_in(&server, &stays, Some("Somebody who stays")).await.unwrap();
    let (mut answered, mut cut_off) = (0, 0);
    for round in 0..=ROUNDS {
        let identity = Identity::generate().unwrap();
        let handle = format!("Quail {round} of Xylo");
        let session = log_in(&server, &identity, Some(&handle)).await.unwrap();
        let _second = log_in(&server, &identity, None).await.unwrap();
        // One that fits into a page of the store, and one that does not.
        for times in [1, 1_500] {
            let text = format!("Letter {times} of {handle}{}", "🚚".repeat(times));
            session.contact(&server, &text).await.unwrap();
        }
        let export = session.held(&server).await.unwrap();
        let all = traces(&serde_json::to_value(&export).unwrap());
        assert!(hits(&data, &all) >= all.len() - 1, "they are in the files");

        let asked = tokio::spawn({
            let server = server.clone();
            async move { session.erase(&server).await }
        });
        let done = if round == ROUNDS {
            let done = asked.await.unwrap();
            host.kill();
            done
        } else {
            // From before the request has come to after the answer.
            tokio::time::sleep(Duration::from_micros(fastrand::u64(0..1000) + round * 1000)).await;
            host.kill();
            asked.await.unwrap()
        };
        match done {
            Ok(()) => {
                assert_eq!(hits(&data, &all), 0, "round {round}: it was answered");
                answered += 1;
            }
            Err(_) => cut_off += 1,
        }
        host.start_again();
        match log_in(&server, &identity, None).await {
            Ok(session) => {
                let held = session.held(&server).await.unwrap();
                assert_eq!((&held.handle, &held.key), (&export.handle, &export.key), "whole");
                assert_eq!(held.messages, export.messages, "whole");
                session.erase(&server).await.unwrap();
            }
            Err(Error::HandleNeeded(_)) => {}
            Err(error) => panic!("{error}"),
        }
        assert_eq!(hits(&data, &all), 0, "round {round}");
    }
    assert!(answered > 0, "the last one was waited for");
    println!("{answered} answered, {cut_off} cut off");
    assert_eq!(log_in(&server, &stays, None).await.unwrap().me.handle.as_str(), "Somebody who stays");
}
