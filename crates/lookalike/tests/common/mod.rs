//! Pictures that are the same on every machine, and their files.

/// Red, green and blue, row by row.
pub struct Made {
    pub width: usize,
    pub height: usize,
    pub pixels: Vec<[u8; 3]>,
}

/// Smooth noise of three sizes in whole numbers, so that it is the same everywhere.
pub fn made(seed: u32, width: usize, height: usize) -> Made {
    let mut pixels = Vec::with_capacity(width * height);
    for y in 0..height {
        for x in 0..width {
            pixels.push([0, 1, 2].map(|channel| {
                let octave = |cells: usize, share: u32| {
                    let part = smooth(
                        seed ^ channel << 20,
                        x * cells * 256 / width,
                        y * cells * 256 / height,
                    );
                    part * share
                };
                ((octave(3, 4) + octave(9, 3) + octave(31, 1)) / 8) as u8
            }));
        }
    }
    Made { width, height, pixels }
}

/// Noise between four corners; the last eight bits of a place are within its cell.
fn smooth(seed: u32, x: usize, y: usize) -> u32 {
    let corner = |right: usize, down: usize| {
        let mut mixed = seed
            .wrapping_mul(0x9e37_79b1)
            .wrapping_add(((x / 256 + right) as u32).wrapping_mul(0x85eb_ca6b))
            .wrapping_add(((y / 256 + down) as u32).wrapping_mul(0xc2b2_ae35));
        mixed = (mixed ^ mixed >> 15).wrapping_mul(0x2c1b_3c6d);
        mixed = (mixed ^ mixed >> 12).wrapping_mul(0x297a_2d39);
        (mixed ^ mixed >> 15) & 0xff
    };
    let (right, down) = ((x % 256) as u32, (y % 256) as u32);
    let up = corner(0, 0) * (256 - right) + corner(1, 0) * right;
    let low = corner(0, 1) * (256 - right) + corner(1, 1) * right;
    (up * (256 - down) + low * down) >> 16
}

impl Made {
    /// As a PNG file.
    pub fn png(&self) -> Vec<u8> {
        png(
            self.width,
            self.height,
            png::ColorType::Rgb,
            png::BitDepth::Eight,
            self.pixels.as_flattened(),
        )
    }
}

/// A PNG file of these samples.
pub fn png(
    width: usize,
    height: usize,
    color: png::ColorType,
    depth: png::BitDepth,
    samples: &[u8],
) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width as u32, height as u32);
    encoder.set_color(color);
    encoder.set_depth(depth);
    let mut writer = encoder.write_header().expect("memory takes it");
    writer.write_image_data(samples).expect("as many samples as pixels");
    writer.finish().expect("memory takes it");
    bytes
}
