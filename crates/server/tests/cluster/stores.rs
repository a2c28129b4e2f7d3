//! Several nodes on one store.

use std::time::{Duration, Instant};

use tenfour_protocol::Handle;
use tenfour_server::store::{Changes, JetStream, Minute, Store, User, Written};

use crate::nats::NatsServer;
use crate::store::{Looked, same_tag, session, text, user};
use crate::wiretap::Stranger;

/// What is sealed is overwritten, too: who has the secret later reads nothing of before.
#[test]
fn what_was_replaced_is_found_on_no_disk_of_nats() {
    let server = NatsServer::start();
    let ear = Stranger::on(&server, &["$KV.tenfour.>"], None);
    let (mut store, _) = JetStream::open(&server.nats("alpha")).unwrap();
    for n in 0..20 {
        store.insert_user(&user(n)).unwrap();
        store.put_session(&session(&user(n), 1)).unwrap();
        store.commit().unwrap();
    }
    store.put_message(&user(1).id, &text("one"), Minute(1)).unwrap();
    for n in 0..10 {
        assert!(store.erase(&user(n).id).unwrap());
    }
    store.scrub().unwrap();
    let subject = |n: u32| format!("$KV.tenfour.tag.{}", user(n).id.tag());
    let deadline = Instant::now() + Duration::from_secs(10);
    while (0..20).any(|n| ear.hmsgs(&subject(n)).len() < if n < 10 { 3 } else { 2 }) {
        assert!(Instant::now() < deadline, "it hears what is stored");
        std::thread::yield_now();
    }
    for n in 0..20 {
        let mut values = ear.hmsgs(&subject(n));
        let newest = values.pop().unwrap();
        assert!(server.found(&newest) > 0, "what stays is looked for in the same way");
        assert!(values.iter().all(|value| server.found(value) == 0), "{n}");
    }
}

/// As many as there may be; two nodes count the same.
#[test]
fn users_of_a_cluster_have_a_most() {
    let (_server, (one, _), (mut other, mut told)) = two_nodes();
    let mut one = one.with_room_for(3);
    for n in 0..3 {
        assert_eq!(other.insert_user(&user(n)).unwrap(), Written::Done);
    }
    // Until the first node has been told as well as the second.
    let mut third = std::iter::from_fn(|| told.blocking_recv()).filter(|change| change.users == [user(2)]);
    assert!(third.next().is_some());
    let deadline = Instant::now() + Duration::from_secs(10);
    while one.insert_user(&user(3)).unwrap() != Written::Full {
        assert!(one.erase(&user(3).id).unwrap() && Instant::now() < deadline);
    }
    assert_eq!(one.insert_user(&user(2)).unwrap(), Written::Known);
    assert!(one.erase(&user(0).id).unwrap());
    assert_eq!(one.insert_user(&user(3)).unwrap(), Written::Done);
    assert_eq!(one.insert_user(&user(4)).unwrap(), Written::Full);
}

/// Two nodes on one store.
fn two_nodes() -> (NatsServer, (JetStream, Changes), (JetStream, Changes)) {
    let server = NatsServer::start();
    let one = JetStream::open(&server.nats("alpha")).unwrap();
    let other = JetStream::open(&server.nats("beta")).unwrap();
    (server, one, other)
}

#[test]
fn what_one_node_does_another_is_told() {
    let (_server, (mut one, _), (mut other, mut told)) = two_nodes();
    one.insert_user(&user(1)).unwrap();
    let since = one.put_session(&session(&user(1), 1)).unwrap().unwrap();
    let change =
        std::iter::from_fn(|| told.blocking_recv()).find(|change| !change.sessions.is_empty()).unwrap();
    assert_eq!((change.revision, change.users.as_slice()), (since, &[user(1)][..]));
    assert!((change.first..=change.last).contains(&user(1).id));
    assert_eq!(other.user(&user(1).id).unwrap(), Some(user(1)), "the key is known here too");
    let renamed = User { handle: Handle::parse("Coyote").unwrap(), ..user(1) };
    other.update_user(&renamed).unwrap();
    assert_eq!(other.user(&user(1).id).unwrap(), Some(renamed));
    one.erase(&user(1).id).unwrap();
    let gone = std::iter::from_fn(|| told.blocking_recv()).find(|change| change.users.is_empty()).unwrap();
    assert!(gone.revision > since && gone.sessions.is_empty());
    assert_eq!(other.user(&user(1).id).unwrap(), None);
    assert_eq!(other.put_session(&session(&user(1), 2)).unwrap(), None);
}

#[test]
fn a_node_that_comes_is_told_what_is_there() {
    let (server, (mut one, _), _) = two_nodes();
    for n in 0..50 {
        one.insert_user(&user(n)).unwrap();
        one.put_session(&session(&user(n), 1)).unwrap();
    }
    let (_, mut told) = JetStream::open(&server.nats("gamma")).unwrap();
    let known: Vec<_> =
        std::iter::from_fn(|| told.try_recv().ok()).flat_map(|change| change.sessions).collect();
    assert_eq!(known.len(), 50);
}

#[test]
fn nodes_that_change_one_value_at_the_same_time_lose_nothing() {
    let (_server, (one, _), (other, _)) = two_nodes();
    let (first, twin) = same_tag();
    let twin = User { handle: Handle::parse("Coyote").unwrap(), ..twin };
    let work = |mut store: JetStream, user: User| {
        std::thread::spawn(move || {
            assert_eq!(store.insert_user(&user).unwrap(), Written::Done);
            for n in 0..30 {
                assert!(store.put_session(&session(&user, n)).unwrap().is_some());
                store.commit().unwrap();
            }
            store
        })
    };
    let (one, other) = (work(one, first.clone()), work(other, twin.clone()));
    let (mut one, _other) = (one.join().unwrap(), other.join().unwrap());
    for user in [first, twin] {
        assert_eq!(one.sessions_of(&user.id).unwrap().len(), 30);
    }
}

#[test]
fn a_handle_is_taken_by_one_of_two_nodes() {
    let (_server, (one, _), (other, _)) = two_nodes();
    let (first, twin) = same_tag();
    let work =
        |mut store: JetStream, user: User| std::thread::spawn(move || store.insert_user(&user).unwrap());
    let (one, other) = (work(one, first), work(other, twin));
    let mut written = [one.join().unwrap(), other.join().unwrap()];
    written.sort_by_key(|written| *written != Written::Done);
    assert_eq!(written, [Written::Done, Written::Mistakable]);
}

#[test]
fn a_nonce_is_spent_once_whichever_node_is_asked() {
    let (_server, (mut one, _), (mut other, _)) = two_nodes();
    assert!(one.spend_nonce(&[1; 32]).unwrap());
    assert!(!other.spend_nonce(&[1; 32]).unwrap() && !one.spend_nonce(&[1; 32]).unwrap());
    assert!(other.spend_nonce(&[2; 32]).unwrap());
    assert_eq!(one.secret().unwrap(), other.secret().unwrap());
    assert!(one.secret().unwrap().is_some());
}

#[test]
fn clusters_of_different_prefixes_do_not_meet() {
    let server = NatsServer::start();
    let mut club = server.nats("alpha");
    club.prefix = "club".into();
    let (mut one, _) = JetStream::open(&server.nats("alpha")).unwrap();
    let (mut other, mut told) = JetStream::open(&club).unwrap();
    one.insert_user(&user(1)).unwrap();
    assert_eq!(other.user(&user(1).id).unwrap(), None);
    other.insert_user(&user(2)).unwrap();
    assert_eq!(told.blocking_recv().unwrap().users, [user(2)]);
    assert_ne!(one.secret().unwrap(), other.secret().unwrap());
}

#[test]
fn a_restart_of_nats_loses_no_change() {
    let (mut server, (mut one, _), (mut other, mut told)) = two_nodes();
    one.insert_user(&user(1)).unwrap();
    assert_eq!(other.user(&user(1).id).unwrap(), Some(user(1)));
    server.kill();
    // Whoever is known is known without NATS too.
    assert_eq!(other.user(&user(1).id).unwrap(), Some(user(1)));
    one.insert_user(&user(2)).expect_err("nobody can register on an island");
    server.restart();
    let deadline = Instant::now() + Duration::from_secs(5);
    while one.insert_user(&user(2)).is_err() {
        assert!(Instant::now() < deadline, "it heals without a restart");
        std::thread::yield_now();
    }
    let change = std::iter::from_fn(|| told.blocking_recv()).find(|change| change.users == [user(2)]);
    assert!(change.is_some(), "and changes are told again");
}
