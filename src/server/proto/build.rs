//! Compiles `clerestory.proto` to Rust with protox, so that no `protoc` has to be installed.

use std::error::Error;
use std::path::Path;

fn main() -> Result<(), Box<dyn Error>> {
    let directory = Path::new(&std::env::var("CARGO_MANIFEST_DIR")?).join("src/server/proto");
    let source = directory.join("clerestory.proto");
    println!("cargo:rerun-if-changed={}", source.display());
    let descriptors = protox::compile([&source], [&directory])?;
    // Nearly every call answers with a failure that does not have it.
    tonic_prost_build::configure().boxed(".clerestory.v1.Failure.attribute").compile_fds(descriptors)?;
    Ok(())
}
