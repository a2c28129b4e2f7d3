//! Writes the OpenAPI document: `cargo xtask gen` keeps it in docs/openapi.json.

fn main() {
    print!("{}", tenfour_server::openapi());
}
