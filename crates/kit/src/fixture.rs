//! Contracts compiled from protos within the tests.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use prost_reflect::DescriptorPool;

use crate::contract::Contract;

/// The sample contract, encoded as a build script would.
pub static SAMPLE: LazyLock<&'static [u8]> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata");
    compile(&folder, "recourse/sample/v1/sample.proto").leak()
});

/// The sample contract, compiled.
pub static CONTRACT: LazyLock<Contract> = LazyLock::new(|| Contract::load(&SAMPLE).unwrap());

/// The descriptors of a file below `folder`, its imports included.
pub fn compile(folder: &Path, file: &str) -> Vec<u8> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let includes: Vec<PathBuf> =
        vec![folder.to_owned(), root.join("proto"), root.join("proto-vendor")];
    let mut compiler = protox::Compiler::new(includes).unwrap();
    compiler.include_imports(true).open_file(file).unwrap();
    compiler.encode_file_descriptor_set()
}

/// The descriptors of a proto given as text.
pub fn pool_of(text: &str) -> DescriptorPool {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("x.proto"), text).unwrap();
    DescriptorPool::decode(compile(folder.path(), "x.proto").as_slice()).unwrap()
}

/// Writes protobuf by hand.
pub mod wire {
    /// A varint field.
    pub fn varint(field: u32, value: u64) -> Vec<u8> {
        let mut bytes = Vec::new();
        prost::encoding::encode_varint(u64::from(field << 3), &mut bytes);
        prost::encoding::encode_varint(value, &mut bytes);
        bytes
    }

    /// A string, bytes, message or packed field.
    pub fn bytes(field: u32, value: impl AsRef<[u8]>) -> Vec<u8> {
        let value = value.as_ref();
        let mut bytes = Vec::new();
        prost::encoding::encode_varint(u64::from(field << 3 | 2), &mut bytes);
        prost::encoding::encode_varint(value.len() as u64, &mut bytes);
        bytes.extend_from_slice(value);
        bytes
    }

    /// A double field.
    pub fn double(field: u32, value: f64) -> Vec<u8> {
        let mut bytes = Vec::new();
        prost::encoding::encode_varint(u64::from(field << 3 | 1), &mut bytes);
        bytes.extend_from_slice(&value.to_le_bytes());
        bytes
    }

    /// A Duration or Timestamp.
    pub fn seconds(seconds: i64, nanos: i32) -> Vec<u8> {
        [varint(1, seconds as u64), varint(2, i64::from(nanos) as u64)].concat()
    }
}
