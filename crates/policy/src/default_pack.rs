//! The default policy pack, carried in the program: a short-video platform with a shop, under the
//! Digital Services Act, in English, German and Simplified Chinese. Its files stand in
//! `deploy/packs/default`, for operators to copy; a test compares the two.

use contracts::policy::v1::PackFile;

macro_rules! files {
    ($($path:literal),* $(,)?) => {
        [$(($path, include_bytes!(concat!("../../../deploy/packs/default/", $path)).as_slice())),*]
    };
}

/// Every file by its path.
const FILES: [(&str, &[u8]); FILE_COUNT] = files![
    "areas.yaml",
    "labels.yaml",
    "ladders.yaml",
    "pack.yaml",
    "policies/deception_and_identity.yaml",
    "policies/hate_and_violence.yaml",
    "policies/intellectual_property.yaml",
    "policies/minors_and_sexual_content.yaml",
    "policies/people.yaml",
    "policies/shop_and_live.yaml",
    "queues.yaml",
    "reasons/children.yaml",
    "reasons/deception.yaml",
    "reasons/harassment.yaml",
    "reasons/hate.yaml",
    "reasons/identity.yaml",
    "reasons/intellectual_property.yaml",
    "reasons/live.yaml",
    "reasons/self_harm.yaml",
    "reasons/service.yaml",
    "reasons/sexual.yaml",
    "reasons/shop.yaml",
    "reasons/violence.yaml",
    "statements/de.yaml",
    "statements/en.yaml",
    "statements/zh-Hans.yaml",
];

const FILE_COUNT: usize = 26;

/// The files of the default pack, in order of their paths.
pub fn default_pack() -> Vec<PackFile> {
    let file = |(path, content): (&str, &[u8])| PackFile {
        path: path.to_owned(),
        content: content.to_vec(),
    };
    FILES.into_iter().map(file).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_carried_files_are_those_of_the_folder() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/packs/default");
        assert_eq!(default_pack(), crate::read_folder(folder).unwrap());
    }
}
