//! `tenfour admin inbox`: what people wrote to the operator.

use serde::Serialize;
use tenfour_protocol::{ContactText, Handle, Tag, UserId};
use tenfour_server::store::Letter;

use crate::data_folder::{DataFolder, Source};
use crate::exit::Failure;
use crate::lines;

/// Put before each line of a message, so that none can be taken for a line of ours.
const MARGIN: &str = "    ";

#[derive(Debug, clap::Args)]
pub(crate) struct Inbox {
    #[command(flatten)]
    folder: DataFolder,
    /// One JSON object a line for each message
    #[arg(long)]
    json: bool,
    /// Removes the message of this number for good, and lists none; may be given more than once
    #[arg(long, value_name = "NUMBER")]
    remove: Vec<u32>,
}

/// As JSON.
#[derive(Serialize)]
struct Line {
    id: u32,
    sent: String,
    handle: Handle,
    tag: Tag,
    user: UserId,
    text: ContactText,
}

impl Inbox {
    pub(crate) fn open(self) -> Result<(), Failure> {
        let mut source = self.folder.find()?;
        let letters = source.letters()?;
        if !self.remove.is_empty() {
            return remove(&mut source, &letters, &self.remove);
        }
        for letter in letters {
            if lines::are_lost() {
                break;
            }
            if self.json {
                let line = serde_json::to_string(&Line::of(letter));
                show!("{}", line.map_err(|error| Failure::Failed(error.to_string()))?);
            } else {
                lines::result(format_args!("{}", for_people(&letter)));
            }
        }
        Ok(())
    }
}

fn remove(source: &mut Source, letters: &[Letter], ids: &[u32]) -> Result<(), Failure> {
    if let Some(unknown) = ids.iter().find(|id| !letters.iter().any(|letter| letter.message.id == **id)) {
        let words =
            format!("There is no message {unknown}. Nothing was removed; list them without --remove.");
        return Err(Failure::Failed(words));
    }
    source.remove(ids)?;
    let what = if ids.len() == 1 { "1 message is" } else { "The messages are" };
    tell!("{what} removed, and overwritten on the disk.");
    Ok(())
}

/// A head, and the message with a margin. Handle and text have no control characters that a terminal would obey:
/// their types refuse them, also when they are read from the store.
fn for_people(letter: &Letter) -> String {
    let Letter { user, message } = letter;
    let head = format!("{}  {}  {} ({})  {user}\n", message.id, message.sent, message.handle, user.tag());
    let lines = message.text.as_str().lines().map(|line| format!("{MARGIN}{line}\n"));
    std::iter::once(head).chain(lines).chain(["\n".to_owned()]).collect()
}

impl Line {
    fn of(Letter { user, message }: Letter) -> Self {
        let (tag, text) = (user.tag(), message.text);
        Self { id: message.id, sent: message.sent, handle: message.handle, tag, user, text }
    }
}
