//! What else a picture may have been before it was changed, or may be changed into.
//!
//! A hash of the whole picture does not survive a crop, a border, a mirror or a round frame. So a
//! picture that is asked about is looked at in many ways, each of which undoes one such change; and
//! one that is protected may be kept in a few. Looking is cheaper than keeping: most is done for
//! the picture asked about, and the first few looks meet most changes.

use std::fmt;

use super::decode::{Limits, Refused, decode};
use super::looks::{self, KEPT, Look, Window};
use super::pdq::Pdq;
use super::transform::{Plane, SIDE, Square, Transform, place, quality};
use super::windows;

/// A picture of less quality is too flat to be told from others by its hash.
pub const QUALITY_MIN: u8 = 50;
/// Ways in which a protected picture can be kept.
pub const KEPT_MAX: usize = 4;
/// How far the luma of a border's lines may be from one value.
const UNIFORM: f32 = 7.0;
/// The most of a side that is taken for a border, in eighths of the whole.
const BORDER_EIGHTHS: usize = 3;
/// How large a disk is looked at, of the half of a side: round frames often leave a margin.
const RADIUS: f32 = 0.85;
/// Over how much a round frame fades to the mean.
const FADE: f32 = 0.12;

/// A way of looking at a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct View {
    /// What of it is looked at.
    pub kind: Kind,
    /// Whether left and right are exchanged.
    pub mirrored: bool,
}

/// What of a picture is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// All of it.
    Whole,
    /// All but a border of one colour.
    Borderless,
    /// A part of it: it may have been set in a frame.
    Part,
    /// More than is there: it may have been cut on all sides.
    Beyond,
    /// A disk in it: it may have been given a round frame.
    Disk,
    /// As it may have been before it was cut off centre.
    Cut,
    /// As it may have been before it was made narrower or lower.
    Stretched,
    /// It turned by a few degrees.
    Tilted,
    /// It turned by quarters or mirrored top to bottom.
    Turned,
    /// Its negative.
    Negative,
}

impl fmt::Display for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            Kind::Whole => "whole",
            Kind::Borderless => "without its border",
            Kind::Part => "a part of it",
            Kind::Beyond => "as cut from a larger one",
            Kind::Disk => "within a round frame",
            Kind::Cut => "as cut off centre from a larger one",
            Kind::Stretched => "as it was before it was stretched",
            Kind::Tilted => "turned a little",
            Kind::Turned => "turned",
            Kind::Negative => "as a negative",
        })?;
        f.write_str(if self.mirrored { ", mirrored" } else { "" })
    }
}

/// A decoded picture, ready to be looked at.
#[derive(Clone, Debug, PartialEq)]
pub struct Picture {
    blurred: Plane,
    whole: Transform,
    quality: u8,
    /// What is inside its border, if it has one.
    inside: Option<Window>,
}

impl Picture {
    /// Decodes a picture.
    ///
    /// # Errors
    /// If it is not a picture that is accepted.
    pub fn read(bytes: &[u8], limits: Limits) -> Result<Picture, Refused> {
        let plane = decode(bytes, limits)?;
        let small = Refused::Small { width: plane.width, height: plane.height };
        Picture::of(&plane).ok_or(small)
    }

    /// The picture of a plane of luma; `None` if it is too small.
    pub fn of(plane: &Plane) -> Option<Picture> {
        let blurred = plane.blurred()?;
        let square = blurred.points();
        let inside = inside(&blurred);
        let (whole, quality) = (Transform::of(&square), quality(&square));
        Some(Picture { blurred, whole, quality, inside })
    }

    /// The PDQ hash of the whole picture.
    pub fn hash(&self) -> Pdq {
        self.whole.hash()
    }

    /// How much there is to see, from 0 to 100; see [`QUALITY_MIN`].
    pub fn quality(&self) -> u8 {
        self.quality
    }

    /// Hashes to keep of a protected picture: up to [`KEPT_MAX`], the most useful first, the
    /// first that of the whole.
    pub fn kept(&self, most: usize) -> Vec<(View, Pdq)> {
        let kept = KEPT.iter().take(most).filter_map(|(look, kind)| {
            let view = View { kind: *kind, mirrored: false };
            Some((view, self.transform(*look)?.hash()))
        });
        kept.collect()
    }

    /// Hashes to look for when somebody shows this picture, the most useful first. Each is made
    /// when it is asked for: stop at will.
    pub fn looks(&self) -> impl Iterator<Item = (View, Pdq)> {
        looks::all().iter().filter_map(|(look, view)| {
            let transform = self.transform(*look)?;
            // A turn that mirrors has done so.
            let mirrored = view.mirrored && !matches!(look, Look::Turn { .. });
            Some((*view, if mirrored { transform.mirrored() } else { transform }.hash()))
        })
    }

    /// Hashes of many windows on this picture and on what is inside its border, each also mirrored,
    /// but for a few bits: by one of them it may be close to a picture that it was cut out of. None
    /// if it is too flat for that.
    pub fn windows(&self) -> Vec<Pdq> {
        if self.quality < QUALITY_MIN {
            return Vec::new();
        }
        let square = self.blurred.points();
        let within = [Some(Window::WHOLE), self.inside].into_iter().flatten();
        let seen = within.flat_map(|within| windows::hashes(&square, within));
        seen.flat_map(|hash| [hash, hash.mirrored()]).collect()
    }

    /// What is seen by a look; `None` if that is the same as the whole.
    fn transform(&self, look: Look) -> Option<Transform> {
        let blurred = &self.blurred;
        let square = match look {
            Look::Whole => return Some(self.whole.clone()),
            Look::Negative => return Some(self.whole.inverted()),
            Look::Turn { transposed, mirrored, flipped } => {
                let whole = if transposed { self.whole.transposed() } else { self.whole.clone() };
                let across = if mirrored { whole.mirrored() } else { whole };
                return Some(if flipped { across.flipped() } else { across });
            }
            Look::Window(window) => blurred.part(window),
            Look::Trim(window) => blurred.part(self.inside?.part(window)),
            Look::Tilt(degrees, zoom) => turned(blurred, Window::WHOLE, degrees, zoom),
            Look::Disk(window, degrees) => {
                let mut square = match degrees {
                    0.0 => blurred.part(window),
                    _ => turned(blurred, window, degrees, 1.0),
                };
                frame(&mut square);
                square
            }
        };
        Some(Transform::of(&square))
    }
}

/// A window turned by so many degrees, with this much of it.
fn turned(plane: &Plane, window: Window, degrees: f32, zoom: f32) -> Box<Square> {
    let (sine, cosine) = degrees.to_radians().sin_cos();
    let (sine, cosine) = (zoom * sine, zoom * cosine);
    plane.seen(|x, y| window.place((cosine * x - sine * y, sine * x + cosine * y)))
}

/// Fades what is outside the disk to the mean of what is inside.
fn frame(square: &mut Square) {
    let from = |at: usize| place(at % SIDE).hypot(place(at / SIDE));
    let inside = || square.iter().enumerate().filter(|(at, _)| from(*at) < RADIUS);
    let mean = inside().map(|(_, point)| point).sum::<f32>() / inside().count().max(1) as f32;
    for (at, point) in square.iter_mut().enumerate() {
        let share = ((RADIUS - from(at)) / FADE + 0.5).clamp(0.0, 1.0);
        *point = mean + (*point - mean) * share;
    }
}

/// Hashes to look for where a hash is all there is of a picture: turned, mirrored, negative. Each
/// is within a few bits of what the picture would give.
pub fn looks_of(hash: Pdq) -> [(View, Pdq); 10] {
    let view = |kind, mirrored| View { kind, mirrored };
    let across = hash.transposed();
    [
        (view(Kind::Whole, false), hash),
        (view(Kind::Whole, true), hash.mirrored()),
        (view(Kind::Turned, false), hash.mirrored().flipped()),
        (view(Kind::Turned, true), hash.flipped()),
        (view(Kind::Turned, false), across.mirrored()),
        (view(Kind::Turned, false), across.flipped()),
        (view(Kind::Turned, true), across.mirrored().flipped()),
        (view(Kind::Turned, true), across),
        (view(Kind::Negative, false), hash.inverted()),
        (view(Kind::Negative, true), hash.inverted().mirrored()),
    ]
}

/// What is inside a border of one colour; `None` if there is none.
fn inside(plane: &Plane) -> Option<Window> {
    let (width, height) = (plane.width, plane.height);
    // The ends of a line may belong to the border across it.
    let row = |y: usize| line((width / 8..width - width / 8).map(|x| plane.luma[y * width + x]));
    let column =
        |x: usize| line((height / 8..height - height / 8).map(|y| plane.luma[y * width + x]));
    let lines = |side: usize, line: &dyn Fn(usize) -> (f32, f32)| {
        let (edge, _) = line(0);
        let most = side * BORDER_EIGHTHS / 8;
        let lines = (0..most).take_while(|at| {
            let (mean, deviation) = line(*at);
            deviation < UNIFORM && (mean - edge).abs() < UNIFORM
        });
        match lines.count() {
            0 => 1.0,
            // The blur carries the border a little farther.
            count => 1.0 - 2.0 * (count as f32 / side as f32 + 1.0 / 128.0),
        }
    };
    let (left, right) = (-lines(width, &column), lines(width, &|x| column(width - 1 - x)));
    let (top, bottom) = (-lines(height, &row), lines(height, &|y| row(height - 1 - y)));
    let bordered = [-left, right, -top, bottom].into_iter().any(|edge| edge < 1.0);
    bordered.then(|| Window {
        x: f32::midpoint(left, right),
        y: f32::midpoint(top, bottom),
        across: (right - left) / 2.0,
        along: (bottom - top) / 2.0,
    })
}

/// Mean and standard deviation.
fn line(luma: impl Iterator<Item = f32>) -> (f32, f32) {
    let (mut count, mut sum, mut squares) = (0.0, 0.0, 0.0);
    for value in luma {
        count += 1.0;
        sum += value;
        squares += value * value;
    }
    let mean = sum / count;
    (mean, (squares / count - mean * mean).max(0.0).sqrt())
}
