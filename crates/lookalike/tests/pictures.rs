//! Pictures: hashes equal to those of others' PDQ, views that undo edits, files of every kind, and
//! files that mean harm.

mod common;

use common::{Made, made, png};
use lookalike::picture::{
    Format, Kind, Limits, Pdq, Picture, Refused, View, decode, format, looks_of,
};
use png::{BitDepth, ColorType};

/// Hashes by PyPI's `pdqhash` 0.2.8 of the pictures that `made` makes: seed, width, height, hash,
/// quality.
const PDQHASH: &str = include_str!("data/pdq.tsv");
/// The hash, by the same, of the picture that all files in `data` show.
const SHOWN: &str = "02eaba1b29c7cdc00bf15871ec27e6ead827dc330ab17d46564e287a2199a7eb";

const FILES: [(&str, Format, &[u8]); 9] = [
    ("rgb", Format::Jpeg, include_bytes!("data/rgb.jpg")),
    ("progressive", Format::Jpeg, include_bytes!("data/progressive.jpg")),
    ("subsampled", Format::Jpeg, include_bytes!("data/subsampled.jpg")),
    ("grey", Format::Jpeg, include_bytes!("data/grey.jpg")),
    ("cmyk", Format::Jpeg, include_bytes!("data/cmyk.jpg")),
    ("lossy", Format::WebP, include_bytes!("data/lossy.webp")),
    ("alpha", Format::WebP, include_bytes!("data/alpha.webp")),
    ("animated", Format::WebP, include_bytes!("data/animated.webp")),
    ("animated", Format::Gif, include_bytes!("data/animated.gif")),
];

fn read(bytes: &[u8]) -> Result<Picture, Refused> {
    Picture::read(bytes, Limits::default())
}

/// The distance of the nearest look, and which it is.
fn nearest(picture: &Picture, hash: Pdq) -> (u32, View) {
    picture.looks().map(|(view, look)| (look.distance(&hash), view)).min().expect("there are looks")
}

#[test]
fn hashes_are_those_of_pdqhash() {
    let mut checked = 0;
    for line in PDQHASH.lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        let [seed, width, height, hash, quality] = fields[..] else { panic!("{line}") };
        let made = made(seed.parse().unwrap(), width.parse().unwrap(), height.parse().unwrap());
        let picture = read(&made.png()).unwrap();
        let distance = picture.hash().distance(&hash.parse().unwrap());
        // Rounding may differ between machines where two amounts are all but equal.
        assert!(distance <= 2, "{distance} bits differ: {line}");
        assert!(picture.quality().abs_diff(quality.parse().unwrap()) <= 1, "{line}");
        checked += 1;
    }
    assert_eq!(checked, 48);
}

#[test]
fn every_kind_of_file_shows_the_same_picture() {
    let shown: Pdq = SHOWN.parse().unwrap();
    for (name, kind, bytes) in FILES {
        assert_eq!(format(bytes), Some(kind), "{name}");
        let distance = read(bytes).unwrap().hash().distance(&shown);
        assert!(distance <= 31, "{name} {kind}: {distance} bits");
    }
}

#[test]
fn every_kind_of_png_shows_the_same_picture() {
    let Made { width, height, pixels } = made(3, 70, 50);
    let grey: Vec<u8> = pixels.iter().map(|[_, green, _]| *green).collect();
    let wide: Vec<u8> = grey.iter().flat_map(|value| [*value, 77]).collect();
    let with_alpha: Vec<u8> = grey.iter().flat_map(|value| [*value, 255]).collect();
    let colors: Vec<u8> = grey.iter().flat_map(|value| [*value, *value, *value, 255]).collect();
    let expected = read(&png(width, height, ColorType::Grayscale, BitDepth::Eight, &grey)).unwrap();
    for (color, depth, samples) in [
        (ColorType::Grayscale, BitDepth::Sixteen, &wide),
        (ColorType::GrayscaleAlpha, BitDepth::Eight, &with_alpha),
        (ColorType::Rgba, BitDepth::Eight, &colors),
    ] {
        let other = read(&png(width, height, color, depth, samples)).unwrap();
        let distance = other.hash().distance(&expected.hash());
        assert!(distance <= 2, "{color:?} {depth:?}: {distance}");
    }
}

#[test]
fn what_is_transparent_is_white_unless_that_hides_the_picture() {
    let made = made(4, 64, 64);
    let round = |x: usize, y: usize| x.abs_diff(32).pow(2) + y.abs_diff(32).pow(2) < 600;
    let laid = |color: &dyn Fn(usize) -> [u8; 3], outside: Option<u8>| {
        let samples: Vec<u8> = (0..64 * 64)
            .flat_map(|at| {
                let [red, green, blue] = color(at);
                match (round(at % 64, at / 64), outside) {
                    (true, _) => [red, green, blue, 255],
                    (false, Some(shade)) => [shade, shade, shade, 255],
                    (false, None) => [9, 99, 9, 0],
                }
            })
            .collect();
        read(&png(64, 64, ColorType::Rgba, BitDepth::Eight, &samples)).unwrap().hash()
    };
    let dark = |at: usize| made.pixels[at].map(|value| value / 2);
    let pale = |at: usize| made.pixels[at].map(|value| 215 + value / 8);
    assert_eq!(laid(&dark, None), laid(&dark, Some(255)));
    assert_eq!(laid(&pale, None), laid(&pale, Some(0)));
}

#[test]
fn a_large_picture_hashes_like_the_small_one() {
    let small = made(5, 500, 500);
    let mut large = Made { width: 2_000, height: 2_000, pixels: Vec::new() };
    for at in 0..2_000 * 2_000 {
        large.pixels.push(small.pixels[at / 2_000 / 4 * 500 + at % 2_000 / 4]);
    }
    let distance = read(&large.png()).unwrap().hash().distance(&read(&small.png()).unwrap().hash());
    assert!(distance <= 4, "{distance} bits");
}

/// A picture seen through a mapping of its columns and rows.
fn remade(width: usize, height: usize, pixel: impl Fn(usize, usize) -> [u8; 3]) -> Picture {
    let mut made = Made { width, height, pixels: Vec::new() };
    for at in 0..width * height {
        made.pixels.push(pixel(at % width, at / width));
    }
    read(&made.png()).expect("a picture")
}

#[test]
fn a_look_undoes_each_edit() {
    let source = made(6, 200, 200);
    let at = |x: usize, y: usize| source.pixels[y * 200 + x];
    let whole = remade(200, 200, at).hash();
    let edits: [(&str, Picture, Kind, bool); 8] = [
        ("nothing", remade(200, 200, at), Kind::Whole, false),
        ("mirror", remade(200, 200, |x, y| at(199 - x, y)), Kind::Whole, true),
        ("half turn", remade(200, 200, |x, y| at(199 - x, 199 - y)), Kind::Turned, false),
        ("quarter turn", remade(200, 200, |x, y| at(y, 199 - x)), Kind::Turned, false),
        ("other quarter", remade(200, 200, |x, y| at(199 - y, x)), Kind::Turned, false),
        ("diagonal", remade(200, 200, |x, y| at(y, x)), Kind::Turned, true),
        ("negative", remade(200, 200, |x, y| at(x, y).map(|v| 255 - v)), Kind::Negative, false),
        (
            "border",
            remade(290, 270, |x, y| {
                let inside = (20..220).contains(&x) && (60..260).contains(&y);
                if inside { at(x - 20, y - 60) } else { [200, 30, 40] }
            }),
            Kind::Borderless,
            false,
        ),
    ];
    for (name, edited, kind, mirrored) in edits {
        let (distance, view) = nearest(&edited, whole);
        assert!(distance <= 40, "{name}: {distance} bits, {view}");
        assert_eq!(view, View { kind, mirrored }, "{name}");
    }
}

#[test]
fn what_is_left_of_a_picture_is_met_by_a_view_that_is_kept() {
    let source = made(6, 200, 200);
    let at = |x: usize, y: usize| source.pixels[y * 200 + x];
    let kept = remade(200, 200, at).kept(4);
    // What is left of a corner is seen nearly as well within a frame about another place.
    let off_centre: &[Kind] = &[Kind::Cut, Kind::Disk];
    let left: [(&str, Picture, &[Kind]); 6] = [
        ("all sides cut", remade(160, 160, |x, y| at(x + 20, y + 20)), &[Kind::Whole]),
        ("a corner cut", remade(170, 170, at), off_centre),
        ("the other", remade(170, 170, |x, y| at(x + 30, y + 30)), off_centre),
        ("a side cut", remade(170, 200, at), off_centre),
        ("the top cut", remade(200, 170, |x, y| at(x, y + 30)), off_centre),
        ("both sides cut", remade(150, 200, |x, y| at(x + 25, y)), &[Kind::Stretched]),
    ];
    // Not one in 100,000 unrelated pictures is so near.
    let near = 62;
    for (name, picture, kinds) in left {
        let (distance, view) =
            kept.iter().map(|(_, kept)| nearest(&picture, *kept)).min().expect("some are kept");
        assert!(distance <= near, "{name}: {distance} bits, {view}");
        assert!(kinds.contains(&view.kind), "{name}: {view}");
    }
    let cut = remade(170, 170, |x, y| at(176 - x, y + 22));
    let met = kept.iter().map(|(_, kept)| nearest(&cut, *kept)).min().expect("some are kept");
    assert!(met.0 <= near && met.1.mirrored, "cut and mirrored: {} bits, {}", met.0, met.1);
}

#[test]
fn a_window_shows_what_a_large_cut_left() {
    let source = made(6, 200, 200);
    let at = |x: usize, y: usize| source.pixels[y * 200 + x];
    let kept = remade(200, 200, at).kept(4);
    // On all of it, and on what is inside a border.
    let left: [(&str, Picture, usize); 4] = [
        ("a side cut", remade(150, 200, |x, y| at(x + 50, y)), 772),
        ("and mirrored", remade(150, 200, |x, y| at(199 - x, y)), 772),
        ("the top cut", remade(200, 145, |x, y| at(x, y + 55)), 772),
        (
            "a side cut, and framed",
            remade(190, 240, |x, y| {
                let inside = (20..170).contains(&x) && (20..220).contains(&y);
                if inside { at(x + 30, y - 20) } else { [200, 30, 40] }
            }),
            1544,
        ),
    ];
    for (name, picture, count) in left {
        let windows = picture.windows();
        let distance = |hash: &Pdq| kept.iter().map(|(_, kept)| kept.distance(hash)).min();
        let window = windows.iter().filter_map(distance).min().unwrap();
        let look = picture.looks().filter_map(|(_, look)| distance(&look)).min().unwrap();
        assert!(window <= 68 && window + 16 <= look, "{name}: {window} bits, {look} by looks");
        assert_eq!(windows.len(), count, "{name}");
    }
}

#[test]
fn a_hash_alone_is_turned_as_its_picture_would_be() {
    let source = made(7, 256, 256);
    let at = |x: usize, y: usize| source.pixels[y * 256 + x];
    let whole = remade(256, 256, at).hash();
    for (name, turned) in [
        ("mirror", remade(256, 256, |x, y| at(255 - x, y))),
        ("flip", remade(256, 256, |x, y| at(x, 255 - y))),
        ("quarter", remade(256, 256, |x, y| at(y, 255 - x))),
        ("negative", remade(256, 256, |x, y| at(x, y).map(|value| 255 - value))),
    ] {
        let looks = looks_of(turned.hash());
        let distance = looks.iter().map(|(_, look)| look.distance(&whole)).min().unwrap();
        assert!(distance <= 40, "{name}: {distance} bits");
    }
}

#[test]
fn a_picture_is_kept_in_as_many_ways_as_wanted() {
    let picture = read(&made(8, 100, 100).png()).unwrap();
    assert!(picture.kept(0).is_empty());
    assert_eq!(picture.kept(1)[0].1, picture.hash());
    assert_eq!(picture.kept(9).len(), 4);
    assert_eq!(picture.looks().next().unwrap().1, picture.hash());
}

#[test]
fn a_flat_picture_has_no_quality_and_is_hashed_all_the_same() {
    let flat = remade(100, 100, |_, _| [120, 30, 9]);
    assert_eq!(flat.quality(), 0);
    assert!(flat.looks().count() >= 40);
    assert!(flat.windows().is_empty());
}

#[test]
fn what_is_no_picture_is_refused_with_a_reason() {
    assert_eq!(read(b"").unwrap_err(), Refused::Empty);
    for bytes in [&b"\x89PN"[..], b"hello", b"BM", &[0; 100], b"<svg/>", b"RIFF1234WAVEfmt "] {
        assert_eq!(read(bytes).unwrap_err(), Refused::Format);
    }
    let made = made(9, 64, 64).png();
    let limits = Limits { bytes: made.len() - 1, ..Limits::default() };
    let refused = Picture::read(&made, limits).unwrap_err();
    assert_eq!(refused, Refused::Bytes { bytes: made.len(), max: made.len() - 1 });
    let limits = Limits { pixels: 64 * 64 - 1, ..Limits::default() };
    let refused = decode(&made, limits).unwrap_err();
    assert_eq!(refused, Refused::Size { width: 64, height: 64, max: 64 * 64 - 1 });
    let refused = read(&common::made(9, 15, 64).png()).unwrap_err();
    assert_eq!(refused, Refused::Small { width: 15, height: 64 });
    assert_eq!(refused.to_string(), "the picture is 15 by 64 pixels; at least 16 by 16 are needed");
}

#[test]
fn a_bomb_is_refused_before_memory_is_taken() {
    let mut png = made(10, 32, 32).png();
    // The checksum is made to fit: width and height are at 16 and 20, the checksum at 29.
    png[16..20].copy_from_slice(&60_000_u32.to_be_bytes());
    png[20..24].copy_from_slice(&60_000_u32.to_be_bytes());
    let sum = checksum(&png[12..29]);
    png[29..33].copy_from_slice(&sum.to_be_bytes());
    let (width, height) = (60_000, 60_000);
    assert_eq!(read(&png).unwrap_err(), Refused::Size { width, height, max: 25_000_000 });

    let mut gif = FILES[8].2.to_vec();
    gif[6..10].copy_from_slice(&[0xff; 4]);
    assert!(matches!(read(&gif).unwrap_err(), Refused::Size { width: 65_535, .. }));

    let mut jpeg = FILES[0].2.to_vec();
    let frame = jpeg.windows(2).position(|two| two == [0xff, 0xc0]).unwrap();
    jpeg[frame + 5..frame + 9].copy_from_slice(&[0x3f, 0xff, 0x3f, 0xff]);
    assert!(matches!(read(&jpeg).unwrap_err(), Refused::Size { width: 16_383, .. }));
    jpeg[frame + 5..frame + 9].copy_from_slice(&[0xff; 4]);
    assert!(matches!(read(&jpeg).unwrap_err(), Refused::Damaged { .. } | Refused::Size { .. }));

    let mut webp = FILES[5].2.to_vec();
    let start = webp.windows(3).position(|three| three == [0x9d, 0x01, 0x2a]).unwrap();
    webp[start + 3..start + 7].copy_from_slice(&[0xff, 0x3f, 0xff, 0x3f]);
    assert!(matches!(read(&webp).unwrap_err(), Refused::Size { width: 16_383, .. }));
}

/// The checksum of a PNG chunk.
fn checksum(bytes: &[u8]) -> u32 {
    let step = |sum: u32| if sum & 1 == 1 { sum >> 1 ^ 0xedb8_8320 } else { sum >> 1 };
    let byte = |sum: u32, byte: &u8| (0..8).fold(sum ^ u32::from(*byte), |sum, _| step(sum));
    !bytes.iter().fold(u32::MAX, byte)
}

#[test]
fn a_file_cut_or_changed_anywhere_is_read_or_refused() {
    let png = made(11, 24, 24).png();
    let limits = Limits { pixels: 1 << 16, ..Limits::default() };
    let all = FILES.iter().map(|(_, _, bytes)| *bytes).chain([png.as_slice()]);
    for bytes in all {
        let step = bytes.len() / 150 + 1;
        for end in (0..bytes.len()).step_by(step) {
            let _ = decode(&bytes[..end], limits);
        }
        for at in (0..bytes.len()).step_by(step) {
            let mut changed = bytes.to_vec();
            changed[at] ^= 0xff;
            let _ = decode(&changed, limits);
        }
    }
    // Of a small file, at each byte: it never comes out as a whole picture of another kind.
    for end in 0..png.len() - 12 {
        assert!(read(&png[..end]).is_err(), "cut at {end}");
    }
}
