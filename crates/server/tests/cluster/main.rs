//! Many nodes: what has to hold for the store and the bus of one node and of many, and nodes together,
//! with the real nats-server.

mod accounts;
mod bus;
#[path = "../radio/desk.rs"]
#[allow(dead_code, reason = "made for more tests than these")]
mod desk;
#[path = "../radio/http.rs"]
#[allow(dead_code, reason = "made for more tests than these")]
mod http;
mod killed;
mod nats;
mod process;
#[path = "../radio/radio.rs"]
#[allow(dead_code, reason = "made for more tests than these")]
mod radio;
mod secure;
mod store;
mod stores;
mod stranger;
mod trouble;
mod voice;
mod wiretap;
