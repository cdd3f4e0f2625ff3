//! Turns `proto/` into Rust and a descriptor set, without `protoc`.

use std::{env, error::Error, fs, path::Path, path::PathBuf};

fn main() -> Result<(), Box<dyn Error>> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("../..").canonicalize()?;
    let includes = [root.join("proto"), root.join("proto-vendor")];
    let mut files = Vec::new();
    for include in &includes {
        println!("cargo:rerun-if-changed={}", include.display());
    }
    protos(&includes[0], &includes[0], &mut files)?;
    files.sort();

    let set = PathBuf::from(env::var("OUT_DIR")?).join("descriptor_set.bin");
    let mut compiler = protox::Compiler::new(includes.iter())?;
    compiler.include_imports(true).include_source_info(true);
    for file in &files {
        compiler.open_file(file)?;
    }
    // Encoded from the compiler's own pool: prost-types would drop the custom options.
    fs::write(&set, compiler.encode_file_descriptor_set())?;

    let mut config = prost_build::Config::new();
    config
        .file_descriptor_set_path(&set)
        .skip_protoc_run()
        .enable_type_names()
        .compile_well_known_types()
        .extern_path(".google.protobuf", "::prost_types")
        .disable_comments([".google", ".buf"])
        .include_file("_includes.rs");
    tonic_prost_build::configure()
        .skip_protoc_run()
        .file_descriptor_set_path(&set)
        .emit_rerun_if_changed(false)
        .compile_with_config(config, &files, &includes)?;
    Ok(())
}

/// Every `.proto` below `folder`, as paths relative to `root`.
fn protos(root: &Path, folder: &Path, found: &mut Vec<PathBuf>) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            protos(root, &path, found)?;
        } else if path.extension().is_some_and(|extension| extension == "proto") {
            found.push(path.strip_prefix(root)?.to_path_buf());
        }
    }
    Ok(())
}
