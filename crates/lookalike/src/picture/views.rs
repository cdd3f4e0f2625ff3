//! What else a picture may have been before it was changed, or may be changed into.
//!
//! A hash of the whole picture does not survive a crop, a border, a mirror or a round frame. So a
//! picture that is asked about is looked at in many ways, each of which undoes one such change; and
//! one that is protected may be kept in a few. Looking is cheaper than keeping: most is done for
//! the picture asked about, and the first few looks meet most changes.

use std::fmt;

use super::decode::{Limits, Refused, decode};
use super::pdq::Pdq;
use super::transform::{Plane, SIDE, Square, Transform, place, quality};

/// A picture of less quality is too flat to be told from others by its hash.
pub const QUALITY_MIN: u8 = 50;
/// Ways in which a protected picture can be kept.
pub const KEPT_MAX: usize = 4;
/// How far the luma of a border's lines may be from one value.
const UNIFORM: f32 = 7.0;
/// The most of a side that is taken for a border, in eighths of the whole.
const BORDER_EIGHTHS: usize = 3;
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
    /// More than is there: it may have been cropped.
    Beyond,
    /// A disk in it: it may have been given a round frame.
    Disk,
    /// It with its corners painted over from within a disk.
    Filled,
    /// It with a corner or a strip painted over from beside it.
    Patched,
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
            Kind::Filled => "without a round frame",
            Kind::Patched => "without a mark on it",
            Kind::Tilted => "turned a little",
            Kind::Turned => "turned",
            Kind::Negative => "as a negative",
        })?;
        f.write_str(if self.mirrored { ", mirrored" } else { "" })
    }
}

/// How to get at a view.
#[derive(Clone, Copy, Debug)]
enum Look {
    /// This much of it in each direction, about a centre; more than 1 sees past the edges.
    Zoom(f32, f32, f32),
    /// So many degrees, with this much of it.
    Tilt(f32, f32),
    /// A disk of this radius, with this much of it; the rest is the disk's mean.
    Disk(f32, f32),
    /// The corners outside this radius mirrored from inside.
    Fill(f32),
    /// The corner in this direction mirrored from beside.
    Corner(f32, f32),
    /// The strip at the top or bottom mirrored from beside.
    Strip(f32),
    /// The border cut off: of one colour, or all lines that each are of one.
    Trim(Border),
}

/// What is taken for a border.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Border {
    /// Lines at the edge of one and the same colour.
    Plain,
    /// Lines at the edge that are each of one colour.
    Striped,
}

/// The looks at a picture that is asked about, in order of use: how to, what it is, and whether it
/// is looked at mirrored too.
#[rustfmt::skip]
const LOOKS: [(Look, Kind, bool); 40] = [
    (Look::Zoom(1.0, 0.0, 0.0), Kind::Whole, true),
    (Look::Trim(Border::Plain), Kind::Borderless, true),
    (Look::Zoom(1.11, 0.0, 0.0), Kind::Beyond, true),
    (Look::Zoom(0.9, 0.0, 0.0), Kind::Part, true),
    (Look::Zoom(1.05, 0.0, 0.0), Kind::Beyond, true),
    (Look::Disk(0.85, 1.0), Kind::Disk, true),
    (Look::Disk(0.97, 1.0), Kind::Disk, true),
    (Look::Zoom(0.95, 0.0, 0.0), Kind::Part, false),
    (Look::Zoom(1.18, 0.0, 0.0), Kind::Beyond, false),
    (Look::Zoom(0.85, 0.0, 0.0), Kind::Part, false),
    (Look::Zoom(0.8, 0.0, 0.0), Kind::Part, false),
    (Look::Fill(0.97), Kind::Filled, false),
    (Look::Tilt(5.0, 1.0), Kind::Tilted, false),
    (Look::Tilt(-5.0, 1.0), Kind::Tilted, false),
    (Look::Tilt(5.0, 1.083), Kind::Tilted, false),
    (Look::Tilt(-5.0, 1.083), Kind::Tilted, false),
    (Look::Trim(Border::Striped), Kind::Borderless, false),
    (Look::Zoom(1.25, 0.0, 0.0), Kind::Beyond, false),
    (Look::Disk(0.85, 1.11), Kind::Disk, false),
    (Look::Zoom(1.11, 0.11, 0.0), Kind::Beyond, false),
    (Look::Zoom(1.11, -0.11, 0.0), Kind::Beyond, false),
    (Look::Zoom(1.11, 0.0, 0.11), Kind::Beyond, false),
    (Look::Zoom(1.11, 0.0, -0.11), Kind::Beyond, false),
    (Look::Corner(1.0, 1.0), Kind::Patched, false),
    (Look::Corner(-1.0, 1.0), Kind::Patched, false),
    (Look::Strip(-1.0), Kind::Patched, false),
    (Look::Strip(1.0), Kind::Patched, false),
    (Look::Tilt(10.0, 1.0), Kind::Tilted, false),
    (Look::Tilt(-10.0, 1.0), Kind::Tilted, false),
    (Look::Tilt(10.0, 1.158), Kind::Tilted, false),
    (Look::Tilt(-10.0, 1.158), Kind::Tilted, false),
    (Look::Zoom(1.43, 0.0, 0.0), Kind::Beyond, false),
    (Look::Zoom(1.11, 0.11, 0.11), Kind::Beyond, false),
    (Look::Zoom(1.11, 0.11, -0.11), Kind::Beyond, false),
    (Look::Zoom(1.11, -0.11, 0.11), Kind::Beyond, false),
    (Look::Zoom(1.11, -0.11, -0.11), Kind::Beyond, false),
    (Look::Zoom(1.25, 0.25, 0.25), Kind::Beyond, false),
    (Look::Zoom(1.25, 0.25, -0.25), Kind::Beyond, false),
    (Look::Zoom(1.25, -0.25, 0.25), Kind::Beyond, false),
    (Look::Zoom(1.25, -0.25, -0.25), Kind::Beyond, false),
];

/// The ways in which a protected picture is kept, the most useful first.
const KEPT: [(Look, Kind); KEPT_MAX] = [
    (Look::Zoom(1.0, 0.0, 0.0), Kind::Whole),
    (Look::Disk(0.85, 1.0), Kind::Disk),
    (Look::Zoom(0.8, 0.0, 0.0), Kind::Part),
    (Look::Zoom(0.9, 0.0, 0.0), Kind::Part),
];

/// A decoded picture, ready to be looked at.
#[derive(Clone, Debug, PartialEq)]
pub struct Picture {
    blurred: Plane,
    whole: Transform,
    quality: u8,
    /// What is inside a plain and inside a striped border.
    inside: [Inside; 2],
}

/// Left, top, right and bottom of a part, from -1 to 1.
type Inside = [f32; 4];

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
        let inside = [Border::Plain, Border::Striped].map(|border| inside(&blurred, border));
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
        let framed = LOOKS.iter().flat_map(|(look, kind, both)| {
            let transform = self.transform(*look);
            let mirrored = transform.as_ref().filter(|_| *both).map(Transform::mirrored);
            let views = [(transform, false), (mirrored, true)];
            views.into_iter().filter_map(|(transform, mirrored)| {
                Some((View { kind: *kind, mirrored }, transform?.hash()))
            })
        });
        framed.chain(turned(&self.whole))
    }

    /// What is seen by a look; `None` if that is the same as the whole or another.
    fn transform(&self, look: Look) -> Option<Transform> {
        let blurred = &self.blurred;
        let square = match look {
            Look::Zoom(1.0, 0.0, 0.0) => return Some(self.whole.clone()),
            Look::Zoom(zoom, x, y) => blurred.seen(|u, v| (x + zoom * u, y + zoom * v)),
            Look::Tilt(degrees, zoom) => {
                let (sine, cosine) = degrees.to_radians().sin_cos();
                let (sine, cosine) = (zoom * sine, zoom * cosine);
                blurred.seen(|x, y| (cosine * x - sine * y, sine * x + cosine * y))
            }
            Look::Disk(radius, zoom) => {
                let mut square = blurred.seen(|x, y| (zoom * x, zoom * y));
                frame(&mut square, radius);
                square
            }
            Look::Fill(radius) => blurred.seen(|x, y| {
                let from = x.hypot(y);
                let to = if from > radius { (2.0 * radius - from).max(0.0) / from } else { 1.0 };
                (to * x, to * y)
            }),
            Look::Corner(right, down) => blurred.seen(|x, y| patched(x, y, right, down)),
            Look::Strip(down) => {
                blurred.seen(|x, y| (x, if y * down > 0.6 { 1.2 * down - y } else { y }))
            }
            Look::Trim(border) => self.trimmed(border)?,
        };
        Some(Transform::of(&square))
    }

    /// What is inside the border; `None` if there is none, or it was seen as a plain one already.
    fn trimmed(&self, border: Border) -> Option<Box<Square>> {
        let [plain, striped] = self.inside;
        let (inside, seen) = match border {
            Border::Plain => (plain, [-1.0, -1.0, 1.0, 1.0]),
            Border::Striped => (striped, plain),
        };
        let [left, top, right, bottom] = inside;
        let along = |from: f32, to: f32, at: f32| f32::midpoint(from, to) + (to - from) / 2.0 * at;
        (inside != seen)
            .then(|| self.blurred.seen(|x, y| (along(left, right, x), along(top, bottom, y))))
    }
}

/// The corner in this direction mirrored from the side that is nearer.
fn patched(x: f32, y: f32, right: f32, down: f32) -> (f32, f32) {
    let (across, along) = (x * right, y * down);
    if across.min(along) <= 0.4 {
        (x, y)
    } else if across < along {
        (right * (0.8 - across), y)
    } else {
        (x, down * (0.8 - along))
    }
}

/// Fades what is outside a disk to the mean of what is inside.
fn frame(square: &mut Square, radius: f32) {
    let from = |at: usize| place(at % SIDE).hypot(place(at / SIDE));
    let inside = || square.iter().enumerate().filter(|(at, _)| from(*at) < radius);
    let mean = inside().map(|(_, point)| point).sum::<f32>() / inside().count().max(1) as f32;
    for (at, point) in square.iter_mut().enumerate() {
        let share = ((radius - from(at)) / FADE + 0.5).clamp(0.0, 1.0);
        *point = mean + (*point - mean) * share;
    }
}

/// The whole turned by quarters, upside down, and its negative.
fn turned(whole: &Transform) -> impl Iterator<Item = (View, Pdq)> {
    let view = |kind, mirrored| View { kind, mirrored };
    let across = whole.transposed();
    let turns = [
        (view(Kind::Turned, false), whole.mirrored().flipped()),
        (view(Kind::Turned, true), whole.flipped()),
        (view(Kind::Turned, false), across.mirrored()),
        (view(Kind::Turned, false), across.flipped()),
        (view(Kind::Turned, true), across.mirrored().flipped()),
        (view(Kind::Turned, true), across),
        (view(Kind::Negative, false), whole.inverted()),
        (view(Kind::Negative, true), whole.inverted().mirrored()),
    ];
    turns.into_iter().map(|(view, transform)| (view, transform.hash()))
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

/// What is inside a border.
fn inside(plane: &Plane, border: Border) -> Inside {
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
            deviation < UNIFORM && (border == Border::Striped || (mean - edge).abs() < UNIFORM)
        });
        match lines.count() {
            0 => 1.0,
            // The blur carries the border a little farther.
            count => 1.0 - 2.0 * (count as f32 / side as f32 + 1.0 / 128.0),
        }
    };
    [
        -lines(width, &column),
        -lines(height, &row),
        lines(width, &|x| column(width - 1 - x)),
        lines(height, &|y| row(height - 1 - y)),
    ]
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
