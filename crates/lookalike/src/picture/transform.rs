//! From a plane of luma to the coefficients that a PDQ hash is made of, after the description that
//! Facebook published ("The TMK+PDQF video-hashing algorithm and the PDQ image-hashing algorithm",
//! 2019): blur, take 64 by 64 points, keep a corner of their cosine transform, compare with the
//! median.

use std::f64::consts::PI;
use std::sync::LazyLock;

use super::looks::Window;
use super::pdq::Pdq;

/// Side of the square that is transformed.
pub(super) const SIDE: usize = 64;
/// Frequencies kept in each direction.
pub(super) const KEPT: usize = 16;
/// The blur's window is this part of the side, rounded up.
const WINDOWS: usize = 128;
/// Times that the blur is done.
const BLURS: usize = 2;
/// The smallest side that can be hashed.
const SIDE_MIN: usize = 5;
/// Gradients that sum up to the best quality, in hundredths of the range of luma.
const QUALITY_UNIT: i32 = 90;

/// Luma from 0 to 255, row by row.
#[derive(Clone, Debug, PartialEq)]
pub struct Plane {
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// As many as columns times rows.
    pub luma: Vec<f32>,
}

/// What a picture is hashed from: the amounts of its low frequencies.
#[derive(Clone, Debug, PartialEq)]
pub struct Transform([f32; KEPT * KEPT]);

/// A square ready to be transformed.
pub(super) type Square = [f32; SIDE * SIDE];

/// Of each point: the cosine of each kept frequency.
pub(super) static COSINES: LazyLock<Vec<[f32; KEPT]>> = LazyLock::new(|| {
    let scale = f64::from((2.0 / SIDE as f32).sqrt());
    let wave = |frequency: usize, point: usize| {
        scale * (PI / 2.0 / SIDE as f64 * frequency as f64 * (2 * point + 1) as f64).cos()
    };
    (0..SIDE).map(|point| std::array::from_fn(|kept| wave(kept + 1, point) as f32)).collect()
});

impl Plane {
    /// The hash as PDQ defines it, and its quality from 0 (flat) to 100.
    pub fn hash(&self) -> (Pdq, u8) {
        match self.square() {
            Some(square) => (Transform::of(&square).hash(), quality(&square)),
            None => (Pdq::default(), 0),
        }
    }

    /// Blurred, and taken at 64 by 64 points; `None` if the plane is too small.
    pub(super) fn square(&self) -> Option<Box<Square>> {
        Some(self.blurred()?.points())
    }

    /// Blurred as far as taking 64 by 64 points asks for; `None` if the plane is too small.
    pub(super) fn blurred(&self) -> Option<Plane> {
        let (width, height) = (self.width, self.height);
        if width < SIDE_MIN || height < SIDE_MIN {
            return None;
        }
        let mut luma = self.luma.clone();
        // A plane of this very size is the square already.
        if (width, height) != (SIDE, SIDE) {
            let mut other = vec![0.0; luma.len()];
            for _ in 0..BLURS {
                blur_rows(&luma, &mut other, width, width.div_ceil(WINDOWS));
                blur_columns(&other, &mut luma, width, height.div_ceil(WINDOWS));
            }
        }
        Some(Plane { width, height, luma })
    }

    /// The plane at 64 by 64 points.
    pub(super) fn points(&self) -> Box<Square> {
        let mut square = Box::new([0.0; SIDE * SIDE]);
        let at = |point: usize, side: usize| (2 * point + 1) * side / (2 * SIDE);
        for (row, points) in square.chunks_exact_mut(SIDE).enumerate() {
            let line = &self.luma[at(row, self.height) * self.width..][..self.width];
            for (column, point) in points.iter_mut().enumerate() {
                *point = line[at(column, self.width)];
            }
        }
        square
    }

    /// The points of a blurred plane that a mapping of points from -1 to 1 leads to, mirrored at
    /// the edges.
    pub(super) fn seen(&self, map: impl Fn(f32, f32) -> (f32, f32)) -> Box<Square> {
        let mut square = Box::new([0.0; SIDE * SIDE]);
        for (row, points) in square.chunks_exact_mut(SIDE).enumerate() {
            for (column, point) in points.iter_mut().enumerate() {
                let (x, y) = map(place(column), place(row));
                *point = self.at(between(x, self.width), between(y, self.height));
            }
        }
        square
    }

    /// A window on a blurred plane, mirrored at the edges: what [`Plane::seen`] gives, but where
    /// it lies is worked out once for each row and column.
    pub(super) fn part(&self, window: Window) -> Box<Square> {
        let Window { x, y, across, along } = window;
        let columns: [Between; SIDE] =
            std::array::from_fn(|column| between(x + across * place(column), self.width));
        let mut square = Box::new([0.0; SIDE * SIDE]);
        for (row, points) in square.chunks_exact_mut(SIDE).enumerate() {
            let row = between(y + along * place(row), self.height);
            for (point, column) in points.iter_mut().zip(&columns) {
                *point = self.at(*column, row);
            }
        }
        square
    }

    /// The luma between the four nearest points.
    fn at(&self, (left, right, across): Between, (up, down, along): Between) -> f32 {
        let row = |row: usize| {
            let row = &self.luma[row * self.width..][..self.width];
            row[left] + (row[right] - row[left]) * across
        };
        let (up, down) = (row(up), row(down));
        up + (down - up) * along
    }
}

/// Where a column or row of a square lies, from -1 to 1.
pub(super) fn place(point: usize) -> f32 {
    (2 * point + 1) as f32 / SIDE as f32 - 1.0
}

/// The places before and after a point, and how far it is from the first.
type Between = (usize, usize, f32);

/// What a point from -1 to 1 is between.
#[inline]
fn between(at: f32, places: usize) -> Between {
    around((mirrored(at) + 1.0) / 2.0 * places as f32, places)
}

/// A point, mirrored at the edges if it is beyond them.
#[inline]
pub(super) fn mirrored(at: f32) -> f32 {
    if at.abs() > 1.0 { at.signum() * (2.0 - at.abs()).clamp(-1.0, 1.0) } else { at }
}

/// The places around one that is given in places from the first.
#[inline]
pub(super) fn around(place: f32, places: usize) -> Between {
    let place = place.clamp(0.0, (places - 1) as f32);
    let before = place as usize;
    (before, (before + 1).min(places - 1), place - before as f32)
}

/// Means over a window that moves along each row; shorter at the ends.
fn blur_rows(from: &[f32], to: &mut [f32], width: usize, window: usize) {
    for (from, to) in from.chunks_exact(width).zip(to.chunks_exact_mut(width)) {
        let mut sum = 0.0;
        for (at, step) in steps(width, window).enumerate() {
            sum += step.gained.clone().map(|gained| from[gained]).sum::<f32>();
            sum -= step.lost.map_or(0.0, |lost| from[lost]);
            to[at] = sum / step.size;
        }
    }
}

/// The same along the columns, all of them at a time.
fn blur_columns(from: &[f32], to: &mut [f32], width: usize, window: usize) {
    let mut sums = vec![0.0; width];
    let row = |at: usize| &from[at * width..(at + 1) * width];
    for (to, step) in to.chunks_exact_mut(width).zip(steps(from.len() / width, window)) {
        for gained in step.gained.clone() {
            sums.iter_mut().zip(row(gained)).for_each(|(sum, value)| *sum += value);
        }
        if let Some(lost) = step.lost {
            sums.iter_mut().zip(row(lost)).for_each(|(sum, value)| *sum -= value);
        }
        to.iter_mut().zip(&sums).for_each(|(to, sum)| *to = sum / step.size);
    }
}

/// What a window gains and loses when it moves on to the next place.
struct Step {
    gained: std::ops::Range<usize>,
    lost: Option<usize>,
    size: f32,
}

/// The steps of a window along so many places. It reaches half its size ahead, rounded so that an
/// even one reaches farther ahead than back.
fn steps(places: usize, window: usize) -> impl Iterator<Item = Step> {
    let ahead = window / 2;
    let end = move |at: usize| (at + ahead + 1).min(places);
    let begin = move |at: usize| (at + ahead + 1).saturating_sub(window);
    (0..places).map(move |at| Step {
        gained: if at == 0 { 0 } else { end(at - 1) }..end(at),
        lost: (at > 0 && begin(at) > begin(at - 1)).then(|| begin(at) - 1),
        size: (end(at) - begin(at)) as f32,
    })
}

/// How much there is to see: gradients between neighbouring points, of 100 at most.
pub(super) fn quality(square: &Square) -> u8 {
    let step = |one: f32, other: f32| (((one - other) * 100.0 / 255.0) as i32).abs();
    let down: i32 = square.iter().zip(&square[SIDE..]).map(|(one, other)| step(*one, *other)).sum();
    let along: i32 = square
        .chunks_exact(SIDE)
        .map(|row| row.iter().zip(&row[1..]).map(|(one, other)| step(*one, *other)).sum::<i32>())
        .sum();
    ((down + along) / QUALITY_UNIT).min(100) as u8
}

impl Transform {
    /// The transform of a square. Sums are taken in the order of the points, as others take them:
    /// in a picture that is symmetric, rounding alone decides about half of the bits.
    pub(super) fn of(square: &Square) -> Transform {
        let cosines = &*COSINES;
        let mut half = [[0.0_f32; SIDE]; KEPT];
        for (points, cosines) in square.chunks_exact(SIDE).zip(cosines) {
            for (sums, cosine) in half.iter_mut().zip(cosines) {
                sums.iter_mut().zip(points).for_each(|(sum, point)| *sum += cosine * point);
            }
        }
        Transform::across(&half, cosines)
    }

    /// The transform of what is transformed along the columns, by what each column adds to each
    /// frequency.
    pub(super) fn across(half: &[[f32; SIDE]; KEPT], columns: &[[f32; KEPT]]) -> Transform {
        let mut kept = [0.0; KEPT * KEPT];
        for (sums, row) in kept.chunks_exact_mut(KEPT).zip(half) {
            for (point, cosines) in row.iter().zip(columns) {
                sums.iter_mut().zip(cosines).for_each(|(sum, cosine)| *sum += point * cosine);
            }
        }
        Transform(kept)
    }

    /// The hash: which amounts are above the median.
    pub fn hash(&self) -> Pdq {
        let mut sorted = self.0;
        let (_, median, _) = sorted.select_nth_unstable_by(KEPT * KEPT / 2 - 1, f32::total_cmp);
        let median = *median;
        let mut words = [0; 4];
        for (word, amounts) in words.iter_mut().zip(self.0.chunks_exact(64)) {
            for (bit, amount) in amounts.iter().enumerate() {
                *word |= u64::from(*amount > median) << bit;
            }
        }
        Pdq(words)
    }

    /// That of the picture mirrored left to right.
    #[must_use]
    pub fn mirrored(&self) -> Transform {
        self.signed(|_, column| column % 2 == 0)
    }

    /// That of the picture mirrored top to bottom.
    #[must_use]
    pub fn flipped(&self) -> Transform {
        self.signed(|row, _| row % 2 == 0)
    }

    /// That of the picture's negative.
    #[must_use]
    pub fn inverted(&self) -> Transform {
        self.signed(|_, _| true)
    }

    /// That of the picture mirrored at its main diagonal.
    #[must_use]
    pub fn transposed(&self) -> Transform {
        Transform(std::array::from_fn(|at| self.0[at % KEPT * KEPT + at / KEPT]))
    }

    fn signed(&self, negative: impl Fn(usize, usize) -> bool) -> Transform {
        Transform(std::array::from_fn(|at| {
            if negative(at / KEPT, at % KEPT) { -self.0[at] } else { self.0[at] }
        }))
    }
}
