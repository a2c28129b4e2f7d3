//! The server as its clients meet it: real sockets, a real store, a folder that goes away.

mod account;
mod connection_log;
mod contact;
mod description;
mod desk;
mod door;
mod erasure;
mod forged;
mod held;
mod http;
mod identity;
mod life;
mod logs;
mod looks;
mod origins;
mod page;
mod place;
mod privacy;
mod proxies;
mod radio;
mod relay;
mod secure;
mod sessions;
mod visitors;
mod who_connected;
mod wire;
