//! Pictures as this service keeps them: hashes of several views, never the image.
//!
//! It knows the wire and what is stored; how a hash is worked out is the detector's.

use contracts::impersonation::v1::avatar::Picture as Given;
use contracts::impersonation::v1::{Avatar, AvatarHash};
use kit::Error;
use prost::Message;

use crate::detect::{self, Pdq};

/// Bytes of a PDQ hash.
pub const PDQ_BYTES: usize = 32;

/// Hashes that a check compares, the most useful of each picture first.
pub const HASHES_MAX: usize = 96;
/// Images that are read for one profile or identity.
const IMAGES_MAX: usize = 8;

/// All pictures of an identity.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct Pictures {
    /// Each of them.
    #[prost(message, repeated, tag = "1")]
    pub pictures: Vec<Picture>,
}

/// One picture.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct Picture {
    /// The hashes of its views one after the other, 32 bytes each; the first is of the whole.
    #[prost(bytes = "vec", tag = "1")]
    pub views: Vec<u8>,
    /// The quality of the first, 0 to 100.
    #[prost(int32, tag = "2")]
    pub quality: i32,
    /// Where the platform shows it.
    #[prost(string, tag = "3")]
    pub url: String,
}

impl Picture {
    /// The hash of the whole.
    pub fn pdq(&self) -> &[u8] {
        self.views.get(..PDQ_BYTES).unwrap_or_default()
    }

    /// As the contract shows it.
    pub fn render(&self) -> AvatarHash {
        let views = self.views.len() / PDQ_BYTES;
        AvatarHash {
            pdq: self.pdq().to_vec(),
            quality: self.quality,
            url: self.url.clone(),
            views: i32::try_from(views.saturating_sub(1)).unwrap_or(i32::MAX),
            view_pdqs: Vec::new(),
        }
    }
}

impl Pictures {
    /// The hashes of all views of all pictures.
    pub fn hashes(&self) -> Vec<Pdq> {
        self.pictures.iter().flat_map(|picture| hashes(&picture.views)).collect()
    }

    /// As the contract shows them.
    pub fn render(&self) -> Vec<AvatarHash> {
        self.pictures.iter().map(Picture::render).collect()
    }
}

/// Hashes that stand one after the other.
fn hashes(bytes: &[u8]) -> impl Iterator<Item = Pdq> {
    bytes.chunks_exact(PDQ_BYTES).filter_map(|chunk| Some(Pdq::from_bytes(chunk.try_into().ok()?)))
}

/// What a picture is looked at for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// To be enrolled: some views, each of which takes room in the index.
    Protected,
    /// To be asked about: everything that it may have been before somebody edited it.
    Asked,
}

/// What is read of a profile's or identity's pictures.
#[derive(Clone, Debug, Default)]
pub struct Read {
    /// As they are kept.
    pub pictures: Pictures,
    /// Of those that came as images and are asked about: the place of each, and by what it is
    /// looked at again.
    pub windows: Vec<(usize, Vec<Pdq>)>,
}

/// Works out the hashes of pictures. A hash that was given stands for itself, or for the picture
/// of `known` that has it. Reading images takes long: not for a thread that others wait for.
///
/// Adds to `wrong` every picture that cannot be read, by its path: `<path>[2].image`.
pub fn read(
    avatars: &[Avatar],
    role: Role,
    known: &Pictures,
    path: &str,
    mut wrong: Error,
) -> (Read, Error) {
    let mut pictures = Vec::with_capacity(avatars.len());
    let mut windows = Vec::new();
    let mut images = 0;
    for (index, avatar) in avatars.iter().enumerate() {
        match &avatar.picture {
            Some(Given::Pdq(pdq)) => {
                let same = known.pictures.iter().find(|picture| picture.pdq() == pdq);
                let views = match (same, role) {
                    _ if !avatar.view_pdqs.is_empty() => given(avatar, pdq, role),
                    (Some(same), _) => same.views.clone(),
                    // All that is known of it is one hash.
                    (None, Role::Asked) if avatars.len() == 1 => with_mirrored(pdq),
                    (None, _) => pdq.clone(),
                };
                let (quality, url) = (avatar.quality, avatar.url.clone());
                pictures.push(Picture { views, quality, url });
            }
            Some(Given::Image(_)) if images == IMAGES_MAX => {
                let what = format!("must not be given beside {IMAGES_MAX} other images");
                wrong = wrong.and_invalid(format!("{path}[{index}].image"), what);
            }
            Some(Given::Image(_)) if !avatar.view_pdqs.is_empty() => {
                let field = format!("{path}[{index}].view_pdqs");
                wrong = wrong.and_invalid(field, "must be empty beside an image");
            }
            Some(Given::Image(image)) => {
                images += 1;
                match detect::read_image(image, role, HASHES_MAX / avatars.len()) {
                    Ok(seen) => {
                        windows.push((pictures.len(), seen.windows));
                        let views = seen.views.iter().flat_map(|pdq| pdq.to_bytes()).collect();
                        let (quality, url) = (seen.quality, avatar.url.clone());
                        pictures.push(Picture { views, quality, url });
                    }
                    Err(why) => {
                        let field = format!("{path}[{index}].image");
                        wrong = wrong.and_invalid(field, format!("must be readable: {why}"));
                    }
                }
            }
            // The rules of the contract let none pass.
            None => {}
        }
    }
    (Read { pictures: Pictures { pictures }, windows }, wrong)
}

/// The hashes that are given of one picture, as many as are kept.
fn given(avatar: &Avatar, pdq: &[u8], role: Role) -> Vec<u8> {
    let further = match role {
        Role::Protected => detect::KEPT_MAX - 1,
        Role::Asked => HASHES_MAX - 1,
    };
    let further = avatar.view_pdqs.iter().take(further).map(Vec::as_slice);
    [pdq].into_iter().chain(further).collect::<Vec<_>>().concat()
}

/// A hash, and that of the picture mirrored.
fn with_mirrored(pdq: &[u8]) -> Vec<u8> {
    let mirrored = hashes(pdq).flat_map(|hash| hash.mirrored().to_bytes());
    pdq.iter().copied().chain(mirrored).collect()
}

/// Whether there is an image among the pictures, so that reading them takes long.
pub fn has_image(avatars: &[Avatar]) -> bool {
    avatars.iter().any(|avatar| matches!(avatar.picture, Some(Given::Image(_))))
}

/// The pictures as a stored profile has them.
pub fn as_hashes(pictures: &Pictures) -> Vec<Avatar> {
    let stored = |picture: &Picture| {
        let mut views = picture.views.chunks_exact(PDQ_BYTES).map(<[u8]>::to_vec);
        Avatar {
            picture: views.next().map(Given::Pdq),
            view_pdqs: views.collect(),
            quality: picture.quality,
            url: picture.url.clone(),
        }
    };
    pictures.pictures.iter().map(stored).collect()
}

/// Adds hashes by which a picture that is stored as hashes is near to another. They come before its
/// other views, for these may not all be kept.
pub fn add_views(avatar: &mut Avatar, hashes: &[Pdq]) {
    let bytes = hashes.iter().map(|hash| hash.to_bytes().to_vec());
    avatar.view_pdqs.splice(..0, bytes);
}

/// Keeps so many hashes at most: the same share of each picture, that of the whole first.
pub fn keep(avatars: &mut Vec<Avatar>, most: usize) {
    avatars.truncate(most);
    let further = (most / avatars.len().max(1)).saturating_sub(1);
    avatars.iter_mut().for_each(|avatar| avatar.view_pdqs.truncate(further));
}

/// The hash of the whole of a picture that is stored as hashes.
pub fn whole(avatar: &Avatar) -> Option<&[u8]> {
    match &avatar.picture {
        Some(Given::Pdq(pdq)) => Some(pdq),
        _ => None,
    }
}

/// All hashes of pictures that are stored as hashes.
pub fn all_hashes(avatars: &[Avatar]) -> Vec<Pdq> {
    let of = |avatar: &Avatar| -> Vec<Pdq> {
        let all = whole(avatar).into_iter().chain(avatar.view_pdqs.iter().map(Vec::as_slice));
        all.flat_map(hashes).collect()
    };
    avatars.iter().flat_map(of).collect()
}

/// The hash of the whole of each picture that is stored as hashes.
pub fn whole_hashes(avatars: &[Avatar]) -> Vec<Pdq> {
    avatars.iter().filter_map(whole).flat_map(hashes).collect()
}
