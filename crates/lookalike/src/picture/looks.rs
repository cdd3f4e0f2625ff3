//! Which looks at a picture undo which edit: the table that [`super::views`] goes by.
//!
//! It must not know how a look is taken.

use std::sync::LazyLock;

use super::views::{KEPT_MAX, Kind, View};

/// A part of a picture, whose points are from -1 to 1: the middle of it, left to right and top to
/// bottom, and how far it reaches from there each way. Beyond the edges a picture is mirrored.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Window {
    pub x: f32,
    pub y: f32,
    pub across: f32,
    pub along: f32,
}

impl Window {
    pub(super) const WHOLE: Window = Window { x: 0.0, y: 0.0, across: 1.0, along: 1.0 };

    /// Where in the picture a point of the window is.
    pub(super) fn place(&self, (x, y): (f32, f32)) -> (f32, f32) {
        (self.x + self.across * x, self.y + self.along * y)
    }

    /// A window on what is in this one.
    pub(super) fn part(&self, inner: Window) -> Window {
        let (x, y) = self.place((inner.x, inner.y));
        Window { x, y, across: self.across * inner.across, along: self.along * inner.along }
    }

    /// The same towards every side of the picture; some may be the same.
    fn sides(self) -> [Window; 8] {
        let Window { x, y, across, along } = self;
        let over = Window { x: y, y: x, across: along, along: across };
        let to = |window: Window, right: f32, down: f32| Window {
            x: window.x * right,
            y: window.y * down,
            ..window
        };
        std::array::from_fn(|side| {
            let sign = |bit: usize| if side & bit == 0 { 1.0 } else { -1.0 };
            to(if side & 1 == 0 { self } else { over }, sign(2), sign(4))
        })
    }
}

/// How to get at a view.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Look {
    /// All of it.
    Whole,
    /// A window on it.
    Window(Window),
    /// So many degrees, with this much of it.
    Tilt(f32, f32),
    /// A window, turned by so many degrees; but for a disk in it there is the disk's mean.
    Disk(Window, f32),
    /// A window on what is inside a border of one colour.
    Trim(Window),
    /// Exchanged as told, in this order: rows with columns, left with right, top with bottom.
    Turn { transposed: bool, mirrored: bool, flipped: bool },
    /// The negative.
    Negative,
}

/// A look, what is seen by it, and whether left and right are exchanged then.
pub(super) type Taken = (Look, View);

/// A row of the table: a look, what is seen, and what else is looked at likewise.
type Row = (Look, Kind, Also);

/// What else is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Also {
    /// The same towards all other sides.
    Sides,
    /// That, but all of it mirrored.
    Mirrored,
}

const fn part(x: f32, y: f32, across: f32, along: f32) -> Look {
    Look::Window(Window { x, y, across, along })
}

/// So much of it about its middle; more than 1 sees past the edges.
const fn zoom(much: f32) -> Look {
    part(0.0, 0.0, much, much)
}

/// So much of it each way about another place.
const fn off(x: f32, y: f32, much: f32) -> Look {
    part(x, y, much, much)
}

const fn turn(transposed: bool, mirrored: bool, flipped: bool) -> Look {
    Look::Turn { transposed, mirrored, flipped }
}

const fn disk(x: f32, y: f32, much: f32) -> Look {
    Look::Disk(Window { x, y, across: much, along: much }, 0.0)
}

const fn trim(much: f32) -> Look {
    Look::Trim(Window { x: 0.0, y: 0.0, across: much, along: much })
}

/// The ways in which a protected picture is kept, the most useful first.
pub(super) const KEPT: [(Look, Kind); KEPT_MAX] = [
    (Look::Whole, Kind::Whole),
    (disk(0.0, 0.0, 1.0), Kind::Disk),
    (zoom(0.8), Kind::Part),
    (zoom(0.6), Kind::Part),
];

/// The looks at a picture that is asked about, in order of use: that which met most edits that
/// those before it did not, by what it costs; the diagonals come last. They were chosen among
/// 1,465 by 18,300 edits whose amounts were drawn by chance: looks chosen for a few fixed amounts
/// meet hardly any other.
///
/// A picture cut to a share `s` of each side about a place `o` shows at `(k - o) / s` what the one
/// that was cut has at `k`.
#[rustfmt::skip]
const LOOKS: [Row; 41] = [
    (Look::Whole, Kind::Whole, Also::Sides),
    (Look::Whole, Kind::Whole, Also::Mirrored),
    (trim(1.0), Kind::Borderless, Also::Sides),
    (trim(1.0), Kind::Borderless, Also::Mirrored),
    (disk(0.0, 0.0, 1.11), Kind::Disk, Also::Sides),
    (disk(0.0, 0.0, 1.0), Kind::Disk, Also::Sides),
    (disk(0.13, 0.0, 1.11), Kind::Disk, Also::Sides),
    (Look::Disk(Window::WHOLE, 10.0), Kind::Disk, Also::Sides),
    (disk(0.0, 0.0, 1.11), Kind::Disk, Also::Mirrored),
    (disk(0.0, 0.0, 0.9), Kind::Disk, Also::Sides),
    (disk(0.09, 0.09, 1.18), Kind::Disk, Also::Sides),
    (turn(true, true, false), Kind::Turned, Also::Sides),
    (turn(true, false, true), Kind::Turned, Also::Sides),
    (turn(false, false, true), Kind::Turned, Also::Sides),
    (Look::Negative, Kind::Negative, Also::Sides),
    (trim(1.05), Kind::Borderless, Also::Sides),
    (turn(false, true, true), Kind::Turned, Also::Sides),
    (part(0.0, 0.0, 0.64, 0.8), Kind::Stretched, Also::Sides),
    (Look::Tilt(10.0, 1.16), Kind::Tilted, Also::Sides),
    (disk(0.09, 0.0, 1.0), Kind::Disk, Also::Sides),
    (disk(0.13, 0.13, 1.18), Kind::Disk, Also::Sides),
    (disk(0.09, 0.09, 1.11), Kind::Disk, Also::Mirrored),
    (Look::Negative, Kind::Negative, Also::Mirrored),
    (zoom(0.95), Kind::Part, Also::Sides),
    (off(0.22, 0.0, 0.85), Kind::Cut, Also::Sides),
    (zoom(0.63), Kind::Part, Also::Sides),
    (zoom(0.8), Kind::Part, Also::Sides),
    (trim(0.8), Kind::Borderless, Also::Sides),
    (off(0.05, 0.05, 0.85), Kind::Cut, Also::Sides),
    (off(0.22, 0.0, 0.91), Kind::Cut, Also::Sides),
    (zoom(0.78), Kind::Part, Also::Mirrored),
    (off(0.18, 0.18, 1.0), Kind::Cut, Also::Sides),
    (disk(0.0, 0.0, 1.25), Kind::Disk, Also::Sides),
    (zoom(0.67), Kind::Part, Also::Sides),
    (zoom(1.11), Kind::Beyond, Also::Sides),
    (part(0.176, 0.0, 0.941, 0.8), Kind::Cut, Also::Sides),
    (part(0.25, 0.0, 0.75, 0.6), Kind::Cut, Also::Sides),
    (disk(0.09, 0.0, 1.11), Kind::Disk, Also::Mirrored),
    (off(0.22, 0.11, 1.0), Kind::Cut, Also::Sides),
    (turn(true, false, false), Kind::Turned, Also::Sides),
    (turn(true, true, true), Kind::Turned, Also::Sides),
];

/// The rows, each towards all sides.
static TAKEN: LazyLock<Vec<Taken>> = LazyLock::new(|| {
    let row = |(look, kind, also): Row| {
        // What is turned an odd number of times is mirrored.
        let odd = match look {
            Look::Turn { transposed, mirrored, flipped } => transposed ^ mirrored ^ flipped,
            _ => also == Also::Mirrored,
        };
        sides(look).into_iter().map(move |look| (look, View { kind, mirrored: odd }))
    };
    LOOKS.into_iter().flat_map(row).collect()
});

/// All looks at a picture that is asked about, in order of use.
pub(super) fn all() -> &'static [Taken] {
    &TAKEN
}

/// A look towards all sides of the picture, each once.
fn sides(look: Look) -> Vec<Look> {
    let both = [1.0, -1.0];
    let all = match look {
        Look::Window(window) => window.sides().map(Look::Window).to_vec(),
        Look::Disk(window, 0.0) => window.sides().map(|side| Look::Disk(side, 0.0)).to_vec(),
        Look::Disk(window, degrees) => both.map(|way| Look::Disk(window, way * degrees)).to_vec(),
        Look::Tilt(degrees, zoom) => both.map(|way| Look::Tilt(way * degrees, zoom)).to_vec(),
        _ => vec![look],
    };
    let mut each: Vec<Look> = Vec::with_capacity(all.len());
    for look in all {
        if !each.contains(&look) {
            each.push(look);
        }
    }
    each
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_is_taken_towards_every_side_once() {
        assert_eq!(sides(zoom(0.8)).len(), 1);
        assert_eq!(
            sides(part(0.0, 0.0, 0.6, 0.8)),
            [part(0.0, 0.0, 0.6, 0.8), part(0.0, 0.0, 0.8, 0.6)]
        );
        assert_eq!(sides(off(0.1, 0.0, 0.9)).len(), 4);
        assert_eq!(sides(off(0.1, 0.1, 0.9)).len(), 4);
        assert_eq!(sides(off(0.2, 0.1, 0.9)).len(), 8);
        assert_eq!(sides(part(0.2, 0.0, 0.9, 0.8)).len(), 4);
        assert_eq!(sides(Look::Tilt(5.0, 1.0)).len(), 2);
    }

    #[test]
    fn no_look_is_taken_twice() {
        let all = all();
        for (at, taken) in all.iter().enumerate() {
            assert!(!all[..at].contains(taken), "{taken:?}");
        }
        assert_eq!(all.len(), 87);
    }
}
