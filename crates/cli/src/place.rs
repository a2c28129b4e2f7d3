//! `--at`: where the person is. Only the cell around it leaves this program.

use std::convert::Infallible;
use std::str::FromStr;

use tenfour_client::{PositionError, cell_at};
use tenfour_protocol::limits::FIRST_CELLS_PER_HOUR;
use tenfour_protocol::{Code, Country, GeoCell, Ranges, Refusal};

use crate::exit::{self, Failure};

#[derive(Debug, clap::Args)]
pub(crate) struct At {
    /// Where you are in degrees, e.g. 44.81,20.46 or -33.86,151.2. Only the cell of about 36 km² around it is sent; others
    /// see your country. The variable keeps it out of the list of processes
    #[arg(
        long,
        value_name = "LAT,LON",
        env = "TENFOUR_AT",
        hide_env_values = true,
        allow_hyphen_values = true
    )]
    at: Option<Position>,
}

/// Parsed later, so that clap does not print a misspelt place with its error.
#[derive(Debug, Clone)]
struct Position(Result<GeoCell, PositionError>);

impl FromStr for Position {
    type Err = Infallible;
    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(cell_at(text)))
    }
}

impl At {
    /// The cell, if one was given. Limited `ranges` need one.
    pub(crate) fn cell(&self, ranges: Ranges) -> Result<Option<GeoCell>, Failure> {
        match &self.at {
            Some(Position(Ok(cell))) => Ok(Some(cell.clone())),
            Some(Position(Err(error))) => Err(Failure::WrongUse(format!("--at (or TENFOUR_AT): {error}."))),
            None if ranges.are_unlimited() => Ok(None),
            None => Err(Failure::WrongUse(
                "a limited range needs --at LAT,LON, since it is counted from where you are. \
                 Add it, or leave the range unlimited."
                    .into(),
            )),
        }
    }
}

/// For people: what the server knows now.
pub(crate) fn located(country: Option<Country>) -> String {
    let country = country.map_or("no country".to_owned(), |country| country.as_str().to_owned());
    format!("Located in {country}, as a cell of about 36 km², in the server's memory only.")
}

/// For people: why the server took no place.
pub(crate) fn refused(refusal: &Refusal) -> String {
    let words = exit::words(refusal);
    match refusal.code {
        Code::TooManyMoves => {
            format!("{words} Each command with --at counts, {FIRST_CELLS_PER_HOUR} in an hour.")
        }
        _ => words,
    }
}

/// Whether a refusal is about place or range.
pub(crate) fn is_about_place(refusal: &Refusal) -> bool {
    matches!(refusal.code, Code::CellRefused | Code::TooManyMoves | Code::LocationNeeded)
}
