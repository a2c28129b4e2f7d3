//! The binary `tenfour`.

#![deny(clippy::print_stdout, clippy::print_stderr)]

#[macro_use]
mod lines;

mod account;
mod admin;
mod begun_with;
mod channels;
mod contact;
mod data_folder;
mod exit;
mod inbox;
mod key;
mod listen;
mod meter;
mod on_the_air;
mod output;
mod passphrase;
mod pipe;
mod place;
mod raw;
mod recorder;
mod serve;
mod sound;
mod source;
mod station;
mod stats;
mod talk;
mod variables;
mod vox;
mod waiting;
mod whoami;

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};
use tenfour_server::config::Settings;
use zeroizing_alloc::ZeroAlloc;

/// Wipes all memory that is freed, so that no library's buffer leaves voice or a place behind.
#[global_allocator]
static ALLOCATOR: ZeroAlloc<std::alloc::System> = ZeroAlloc(std::alloc::System);

/// A virtual CB radio that anyone can host in a minute.
#[derive(Debug, Parser)]
#[command(name = "tenfour", version, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs a server.
    Serve(serve::Serve),
    /// Says something on a channel.
    Talk(talk::Talk),
    /// Hears one channel or several.
    Listen(listen::Listen),
    /// Lists the channels of a server.
    Channels(channels::Channels),
    /// Counts the users of a server, with noise.
    Stats(stats::Stats),
    /// Shows who you are at a server.
    Whoami(whoami::Whoami),
    /// Changes your handle or description.
    Profile(account::Profile),
    /// Prints all that a server has stored of you, as JSON.
    Export(account::Export),
    /// Erases you from a server, for good.
    Erase(account::Erase),
    /// Writes to the operator of a server.
    Contact(contact::Contact),
    /// Ends your sessions at a server.
    Logout(account::Logout),
    /// Takes your device key along, in a file with a passphrase.
    Key(key::Key),
    /// For the operator of a server.
    Admin(admin::Admin),
}

/// Exit codes: 0 done, 1 failed, 2 wrong use (clap's own), 3 refused by the server, 4 no link.
fn main() -> ExitCode {
    let arguments = Arguments::parse();
    begun_with::overwrite_place();
    variables::tell_of_unknown(&Arguments::command(), Settings::keys());
    let code = match arguments.command {
        // A server's output is not its purpose, so a failure to print does not matter.
        Command::Serve(serve) => return serve.run(),
        Command::Talk(talk) => talk.run(),
        Command::Listen(listen) => listen.run(),
        Command::Channels(channels) => channels.run(),
        Command::Stats(stats) => stats.run(),
        Command::Whoami(whoami) => whoami.run(),
        Command::Profile(profile) => profile.run(),
        Command::Export(export) => export.run(),
        Command::Erase(erase) => erase.run(),
        Command::Contact(contact) => contact.run(),
        Command::Logout(logout) => logout.run(),
        Command::Key(key) => key.run(),
        Command::Admin(admin) => admin.run(),
    };
    lines::end(code)
}
