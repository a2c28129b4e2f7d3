//! `tenfour contact`: writes to the operator of a server.

use std::io::Read;
use std::process::ExitCode;

use tenfour_protocol::ContactText;
use tenfour_protocol::limits::CONTACT_BYTES;

use crate::account::{Account, close};
use crate::exit::{self, Failure};

/// Writes to the operator of a server. The message is kept with your identifier and handle until the
/// operator removes it, or for 90 days.
#[derive(Debug, clap::Args)]
pub(crate) struct Contact {
    #[command(flatten)]
    account: Account,
    /// The message, or - to read it from standard input
    #[arg(value_name = "TEXT")]
    text: String,
}

impl Contact {
    pub(crate) fn run(self) -> ExitCode {
        exit::run(self.send())
    }

    async fn send(self) -> Result<(), Failure> {
        let text = if self.text == "-" { read()? } else { self.text };
        // Checked before we log in.
        ContactText::parse(&text).map_err(|error| {
            Failure::WrongUse(format!("The message {error}. Write 1 to 2,000 characters."))
        })?;
        let (server, session, _) = self.account.log_in().await?;
        let sent = session.contact(&server, &text).await;
        close(&server, session).await;
        sent?;
        tell!("The operator of {} has your message.", server.origin());
        Ok(())
    }
}

/// Reads standard input, up to the length that a message can have.
fn read() -> Result<String, Failure> {
    let mut bytes = Vec::new();
    // A longer message is refused. There is as much room again for characters that will be dropped.
    std::io::stdin().take(2 * CONTACT_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    String::from_utf8(bytes).map_err(|_| Failure::WrongUse("The message is no UTF-8 text.".into()))
}
