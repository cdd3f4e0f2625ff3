//! The sizes that the parts of a WebP file declare, for its decoder takes memory for a part before
//! it compares the part's size with the whole's.

/// Bytes of a chunk's name and length.
const CHUNK_HEAD: usize = 8;
/// Bytes of a frame's own head, before its chunks.
const FRAME_HEAD: usize = 16;

/// Width and height of each lossy or lossless part.
pub(super) fn sizes(bytes: &[u8]) -> Vec<(usize, usize)> {
    let mut sizes = Vec::new();
    collect(bytes.get(12..).unwrap_or_default(), true, &mut sizes);
    sizes
}

fn collect(mut bytes: &[u8], outermost: bool, sizes: &mut Vec<(usize, usize)>) {
    while let Some((head, rest)) = bytes.split_first_chunk::<CHUNK_HEAD>() {
        let length = u32::from_le_bytes([head[4], head[5], head[6], head[7]]) as usize;
        let body = &rest[..length.min(rest.len())];
        match &head[..4] {
            b"VP8 " => sizes.extend(lossy(body)),
            b"VP8L" => sizes.extend(lossless(body)),
            b"ANMF" if outermost && body.len() > FRAME_HEAD => {
                collect(&body[FRAME_HEAD..], false, sizes);
            }
            _ => {}
        }
        let padded = length.saturating_add(length % 2);
        bytes = rest.get(padded..).unwrap_or_default();
    }
}

/// Fourteen bits each, after the frame's tag and start code.
fn lossy(body: &[u8]) -> Option<(usize, usize)> {
    let side = |at: usize| {
        Some(usize::from(u16::from_le_bytes([*body.get(at)?, *body.get(at + 1)?]) & 0x3fff))
    };
    Some((side(6)?, side(8)?))
}

/// Fourteen bits each, less one, after the signature.
fn lossless(body: &[u8]) -> Option<(usize, usize)> {
    let bits = u32::from_le_bytes(*body.get(1..)?.first_chunk()?) as usize;
    Some(((bits & 0x3fff) + 1, (bits >> 14 & 0x3fff) + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sizes_of_parts_are_found_in_frames_too() {
        let lossy = b"VP8 \x0a\0\0\0\0\0\0\x9d\x01\x2a\x80\x02\xe0\x01";
        let lossless = b"VP8L\x05\0\0\0\x2f\x8f\xc2\x1f\x00\0";
        let mut bytes = b"RIFF\0\0\0\0WEBP".to_vec();
        bytes.extend(lossy);
        bytes.extend(b"ANMF\x1e\0\0\0");
        bytes.extend([0; 16]);
        bytes.extend(lossless);
        assert_eq!(sizes(&bytes), [(640, 480), ((0x1fc28f & 0x3fff) + 1, (0x1fc28f >> 14) + 1)]);
        for end in 0..bytes.len() {
            assert!(sizes(&bytes[..end]).len() <= 2);
        }
    }
}
