//! The corpus: one archive of inputs for each target.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use tar::{Archive, Builder, Header};

/// Inputs by name. Inputs that a person wrote are called `seed-…`; inputs of the fuzzer are called by their hash.
pub type Inputs = BTreeMap<String, Vec<u8>>;

/// The archive of a target.
pub fn archive(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(format!("{target}.tar.gz"))
}

/// Reads the inputs of an archive.
///
/// # Errors
///
/// If the archive is missing or damaged.
pub fn read(archive: &Path) -> io::Result<Inputs> {
    let mut inputs = Inputs::new();
    for entry in Archive::new(GzDecoder::new(File::open(archive)?)).entries()? {
        let mut entry = entry?;
        let name = entry.path()?.display().to_string();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes)?;
        inputs.insert(name, bytes);
    }
    Ok(inputs)
}

/// Replaces the archive. The same inputs give the same bytes.
///
/// # Errors
///
/// If the archive cannot be written.
pub fn write(archive: &Path, inputs: &Inputs) -> io::Result<()> {
    let mut builder = Builder::new(GzEncoder::new(Vec::new(), Compression::best()));
    for (name, bytes) in inputs {
        let mut header = Header::new_ustar();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, name, &**bytes)?;
    }
    fs::write(archive, builder.into_inner()?.finish()?)
}
