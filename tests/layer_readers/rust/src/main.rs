// Reads a layer by each of Rust's readers: read LAYER FOLDER. Leaves what they see in the folder, for the caller to hash.
use flate2::read::{GzDecoder, MultiGzDecoder};
use std::fs::{self, File};
use std::io::{copy, Read};

fn main() -> std::io::Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    let (layer, folder) = (&arguments[1], &arguments[2]);
    let open = || File::open(layer).expect("the layer");
    let whole = |name: &str, mut reader: Box<dyn Read>| -> std::io::Result<u64> {
        copy(&mut reader, &mut File::create(format!("{folder}/{name}"))?)
    };
    whole("GzDecoder", Box::new(GzDecoder::new(open())))?;
    whole("MultiGzDecoder", Box::new(MultiGzDecoder::new(open())))?;
    let unpacked = format!("{folder}/unpacked");
    fs::create_dir(&unpacked)?;
    tar::Archive::new(GzDecoder::new(open())).unpack(&unpacked)
}
