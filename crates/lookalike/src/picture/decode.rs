//! From the bytes of a PNG, JPEG, GIF or WebP file to a plane of luma, within bounds. Hostile
//! files are refused with a reason: sizes are looked at before memory is taken for them.
//!
//! Of an animation the first frame is taken. What is transparent is laid on white; where nearly
//! all that can be seen is white, on black.

use std::fmt;
use std::io::Cursor;
use std::num::NonZeroU64;
use std::panic::{AssertUnwindSafe, catch_unwind};

use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;

use super::transform::Plane;
use super::webp;

/// Planes are no longer than this on either side: larger pictures are shrunk by a whole number.
const PLANE_SIDE_MAX: usize = 1_024;
/// The longest side of a picture.
const SIDE_MAX: usize = 16_384;
/// Passes over a progressive JPEG; usual ones have ten.
const JPEG_SCANS_MAX: usize = 64;
/// Bytes of a pixel while it is decoded: four channels of sixteen bits.
const PIXEL_BYTES_MAX: usize = 8;
/// Mean luma from which a picture on white could not be seen.
const PALE: f32 = 200.0;

/// What is accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the file.
    pub bytes: usize,
    /// Pixels that it declares; decoding takes up to twelve bytes of memory for each.
    pub pixels: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { bytes: 4 << 20, pixels: 25_000_000 }
    }
}

/// A kind of file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Portable Network Graphics.
    Png,
    /// JPEG.
    Jpeg,
    /// Graphics Interchange Format.
    Gif,
    /// WebP.
    WebP,
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Format::Png => "PNG",
            Format::Jpeg => "JPEG",
            Format::Gif => "GIF",
            Format::WebP => "WebP",
        })
    }
}

/// Why a picture was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// There are no bytes.
    #[error("the picture is empty")]
    Empty,
    /// The file is too long.
    #[error("the picture has {bytes} bytes; at most {max} are accepted")]
    Bytes {
        /// How many it has.
        bytes: usize,
        /// How many are accepted.
        max: usize,
    },
    /// It is no file of a known kind.
    #[error("the picture is not a PNG, JPEG, GIF or WebP file")]
    Format,
    /// It declares a size that is not accepted.
    #[error("the picture is {width} by {height} pixels; at most {max} in all are accepted")]
    Size {
        /// Columns.
        width: usize,
        /// Rows.
        height: usize,
        /// Pixels accepted.
        max: usize,
    },
    /// It has too few pixels to be told from others.
    #[error("the picture is {width} by {height} pixels; at least 16 by 16 are needed")]
    Small {
        /// Columns.
        width: usize,
        /// Rows.
        height: usize,
    },
    /// It is damaged, incomplete or uses something that is not supported.
    #[error("the {format} file cannot be decoded: {why}")]
    Damaged {
        /// Its kind.
        format: Format,
        /// What the decoder says.
        why: String,
    },
}

/// The smallest side of a picture.
const SIDE_MIN: usize = 16;

/// A decoded picture: eight bits a channel, 1 to 4 channels (grey, grey and alpha, red, green and
/// blue, the same and alpha).
pub(super) struct Raster {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) channels: usize,
    pub(super) bytes: Vec<u8>,
}

/// The kind of file that the bytes begin like.
pub fn format(bytes: &[u8]) -> Option<Format> {
    match bytes {
        [0x89, b'P', b'N', b'G', ..] => Some(Format::Png),
        [0xff, 0xd8, 0xff, ..] => Some(Format::Jpeg),
        [b'G', b'I', b'F', b'8', ..] => Some(Format::Gif),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some(Format::WebP),
        _ => None,
    }
}

/// Decodes a picture to a plane of luma.
///
/// # Errors
/// If it is not a picture that is accepted.
pub fn decode(bytes: &[u8], limits: Limits) -> Result<Plane, Refused> {
    if bytes.is_empty() {
        return Err(Refused::Empty);
    }
    if bytes.len() > limits.bytes {
        return Err(Refused::Bytes { bytes: bytes.len(), max: limits.bytes });
    }
    let format = format(bytes).ok_or(Refused::Format)?;
    // The decoders mean never to panic; a mistake in one must not end the request.
    let raster = catch_unwind(AssertUnwindSafe(|| match format {
        Format::Png => png(bytes, limits),
        Format::Jpeg => jpeg(bytes, limits),
        Format::Gif => gif(bytes, limits),
        Format::WebP => webp(bytes, limits),
    }))
    .unwrap_or_else(|_| Err(damaged(format, "the decoder failed")))?;
    Ok(plane(&raster))
}

pub(super) fn damaged(format: Format, why: impl fmt::Display) -> Refused {
    Refused::Damaged { format, why: why.to_string() }
}

/// Whether a picture of this size is accepted.
fn check(width: usize, height: usize, limits: Limits) -> Result<(), Refused> {
    let pixels = width.saturating_mul(height);
    if pixels > limits.pixels || width.max(height) > SIDE_MAX {
        return Err(Refused::Size { width, height, max: limits.pixels });
    }
    if width.min(height) < SIDE_MIN {
        return Err(Refused::Small { width, height });
    }
    Ok(())
}

fn png(bytes: &[u8], limits: Limits) -> Result<Raster, Refused> {
    let damaged = |error: png::DecodingError| damaged(Format::Png, error);
    let memory = png::Limits { bytes: limits.pixels * PIXEL_BYTES_MAX };
    let mut decoder = png::Decoder::new_with_limits(Cursor::new(bytes), memory);
    decoder.set_transformations(png::Transformations::EXPAND | png::Transformations::STRIP_16);
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    let info = decoder.read_header_info().map_err(damaged)?;
    check(info.width as usize, info.height as usize, limits)?;
    let mut reader = decoder.read_info().map_err(damaged)?;
    let size = reader.output_buffer_size().unwrap_or(usize::MAX);
    let (color, _) = reader.output_color_type();
    let mut raster = Raster {
        width: reader.info().width as usize,
        height: reader.info().height as usize,
        channels: color.samples(),
        bytes: Vec::new(),
    };
    if size != raster.width * raster.height * raster.channels {
        return Err(super::decode::damaged(Format::Png, "its rows have an unexpected length"));
    }
    raster.bytes = vec![0; size];
    reader.next_frame(&mut raster.bytes).map_err(damaged)?;
    Ok(raster)
}

fn jpeg(bytes: &[u8], limits: Limits) -> Result<Raster, Refused> {
    let damaged = |error: zune_jpeg::errors::DecodeErrors| damaged(Format::Jpeg, error);
    let options = DecoderOptions::new_safe()
        .set_max_width(SIDE_MAX)
        .set_max_height(SIDE_MAX)
        .set_strict_mode(false)
        .jpeg_set_max_scans(JPEG_SCANS_MAX)
        .jpeg_set_out_colorspace(ColorSpace::RGB);
    let mut decoder = zune_jpeg::JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    decoder.decode_headers().map_err(damaged)?;
    let (width, height) = decoder.dimensions().unwrap_or_default();
    check(width, height, limits)?;
    let mut bytes = vec![0; decoder.output_buffer_size().unwrap_or_default()];
    decoder.decode_into(&mut bytes).map_err(damaged)?;
    let channels = decoder.output_colorspace().map_or(3, |space| space.num_components());
    if bytes.len() != width * height * channels {
        return Err(super::decode::damaged(Format::Jpeg, "its pixels are incomplete"));
    }
    Ok(Raster { width, height, channels, bytes })
}

fn gif(bytes: &[u8], limits: Limits) -> Result<Raster, Refused> {
    let damaged = |error: gif::DecodingError| damaged(Format::Gif, error);
    let mut options = gif::DecodeOptions::new();
    options.set_color_output(gif::ColorOutput::RGBA);
    let memory = NonZeroU64::new((limits.pixels * 4) as u64).unwrap_or(NonZeroU64::MIN);
    options.set_memory_limit(gif::MemoryLimit::Bytes(memory));
    let mut decoder = options.read_info(bytes).map_err(damaged)?;
    let (width, height) = (usize::from(decoder.width()), usize::from(decoder.height()));
    check(width, height, limits)?;
    let frame = decoder.read_next_frame().map_err(damaged)?;
    let frame = frame.ok_or_else(|| super::decode::damaged(Format::Gif, "it has no frame"))?;
    // The frame may cover a part of the canvas, and lie over its edge.
    let mut bytes = vec![0; width * height * 4];
    let (left, top) = (usize::from(frame.left), usize::from(frame.top));
    let columns = usize::from(frame.width).min(width.saturating_sub(left));
    if columns > 0 {
        let rows = frame.buffer.chunks_exact(usize::from(frame.width) * 4);
        for (row, pixels) in rows.enumerate().take(height.saturating_sub(top)) {
            let at = ((top + row) * width + left) * 4;
            bytes[at..at + columns * 4].copy_from_slice(&pixels[..columns * 4]);
        }
    }
    Ok(Raster { width, height, channels: 4, bytes })
}

fn webp(bytes: &[u8], limits: Limits) -> Result<Raster, Refused> {
    let damaged = |error: image_webp::DecodingError| damaged(Format::WebP, error);
    for (width, height) in webp::sizes(bytes) {
        check(width.max(SIDE_MIN), height.max(SIDE_MIN), limits)?;
    }
    let mut decoder = image_webp::WebPDecoder::new(Cursor::new(bytes)).map_err(damaged)?;
    decoder.set_memory_limit(limits.pixels * PIXEL_BYTES_MAX);
    let (width, height) = decoder.dimensions();
    let (width, height) = (width as usize, height as usize);
    check(width, height, limits)?;
    let channels = if decoder.has_alpha() { 4 } else { 3 };
    let mut bytes = vec![0; width * height * channels];
    decoder.read_image(&mut bytes).map_err(damaged)?;
    Ok(Raster { width, height, channels, bytes })
}

/// The luma of a picture, laid on white or black, shrunk if it is large.
fn plane(raster: &Raster) -> Plane {
    let factor = raster.width.max(raster.height).div_ceil(PLANE_SIDE_MAX);
    let background = background(raster);
    let luma = |pixel: &[u8]| {
        let (color, alpha) = match *pixel {
            [grey] => (f32::from(grey), 255),
            [grey, alpha] => (f32::from(grey), alpha),
            [red, green, blue] => (luma(red, green, blue), 255),
            [red, green, blue, alpha] => (luma(red, green, blue), alpha),
            _ => (0.0, 255),
        };
        if alpha == 255 {
            return color;
        }
        let alpha = f32::from(alpha) / 255.0;
        color * alpha + background * (1.0 - alpha)
    };
    let (width, height) = (raster.width / factor, raster.height / factor);
    let mut plane = Plane { width, height, luma: vec![0.0; width * height] };
    let rows = raster.bytes.chunks_exact(raster.width * raster.channels);
    for (row, pixels) in rows.enumerate().take(height * factor) {
        let sums = &mut plane.luma[row / factor * width..][..width];
        for (pixels, sum) in pixels.chunks_exact(raster.channels * factor).zip(sums) {
            *sum += pixels.chunks_exact(raster.channels).map(luma).sum::<f32>();
        }
    }
    if factor > 1 {
        let share = 1.0 / (factor * factor) as f32;
        plane.luma.iter_mut().for_each(|sum| *sum *= share);
    }
    plane
}

/// Luma as PDQ takes it: that of ITU-R BT.601.
fn luma(red: u8, green: u8, blue: u8) -> f32 {
    (0.299 * f64::from(red) + 0.587 * f64::from(green) + 0.114 * f64::from(blue)) as f32
}

/// What a transparent picture is laid on.
fn background(raster: &Raster) -> f32 {
    if raster.channels % 2 == 1 {
        return 255.0;
    }
    let (mut seen, mut weight) = (0.0, 0.0);
    for pixel in raster.bytes.chunks_exact(raster.channels) {
        let alpha = f32::from(pixel[raster.channels - 1]);
        let color = if let [red, green, blue, _] = *pixel {
            luma(red, green, blue)
        } else {
            f32::from(pixel[0])
        };
        seen += f64::from(color * alpha);
        weight += f64::from(alpha);
    }
    let transparent = 1.0 - weight / (255.0 * (raster.width * raster.height) as f64);
    if transparent > 0.05 && seen > f64::from(PALE) * weight { 0.0 } else { 255.0 }
}
