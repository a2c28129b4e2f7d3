//! The server as its clients meet it: real sockets, a real store, a folder that goes away.

mod account;
mod connection_log;
mod contact;
mod desk;
mod door;
mod erasure;
mod held;
mod http;
mod life;
mod logs;
mod page;
mod place;
mod radio;
mod relay;
mod secure;
mod sessions;
mod visitors;
mod wire;
