//! The server as its clients meet it: real sockets, a real store, a folder that goes away.

mod account;
mod connection_log;
mod desk;
mod door;
mod erasure;
mod http;
mod life;
mod logs;
mod page;
mod place;
mod radio;
mod relay;
mod secure;
mod side_doors;
mod tape;
mod told;
mod wire;
mod without_a_place;
