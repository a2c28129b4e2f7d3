//! The OpenAPI document, made from the code.

use utoipa::OpenApi;

use super::{api, channels, contact, me};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Tenfour",
        description = "A virtual CB radio. The socket at /api/v1/radio is described in docs/protocol.md."
    ),
    paths(
        api::about,
        api::nonce,
        api::register,
        api::login,
        api::logout,
        me::held,
        me::change,
        me::erase,
        me::log_out_everywhere,
        contact::contact,
        channels::channels
    )
)]
struct Document;

/// The OpenAPI 3.1 document of the HTTP API, as JSON.
pub fn openapi() -> String {
    let mut text = Document::openapi().to_pretty_json().expect("the document is JSON");
    text.push('\n');
    text
}
