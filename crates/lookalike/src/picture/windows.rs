//! Many windows on a picture at once.
//!
//! What a window shows is chosen by columns and by rows, each for themselves, and so is the cosine
//! transform. So a way to look along the columns is worked out once and serves with every way to
//! look along the rows: a window costs a tenth of what [`super::views`] spends on a look. They
//! are too many to look for all pictures by them as by those; they say whether this picture may
//! show what a certain other one does.

use super::looks::Window;
use super::pdq::Pdq;
use super::transform::{COSINES, KEPT, SIDE, Square, Transform, around, mirrored, place};

/// How much of a side the edited picture may have of what it was made of. Chosen by edits of random
/// amounts; more steps in between find hardly more.
const SHARES: [f32; 11] = [0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 1.08, 1.16, 1.25];
/// In how many steps what is missing goes over from one end of a side to the other.
const PLACES: u8 = 5;

/// What of a side is looked at: its middle and how far it reaches, from -1 to 1 being all of it.
type Side = (f32, f32);

/// For each frequency, what each of the 64 points of a side adds to its amount.
type Waves = [[f32; SIDE]; KEPT];

/// The sides looked at, by the share they undo; the whole side is of none.
fn sides() -> impl Iterator<Item = (Option<usize>, Side)> {
    let part = |(at, share): (usize, f32)| {
        (0..PLACES).map(move |place| {
            // What is missing before and after, of a side that was 1 long.
            let before = (1.0 - share) * f32::from(place) / f32::from(PLACES - 1);
            let after = 1.0 - share - before;
            (Some(at), ((after - before) / share, 1.0 / share))
        })
    };
    let whole = (None, (0.0, 1.0));
    std::iter::once(whole).chain(SHARES.into_iter().enumerate().flat_map(part))
}

/// What windows within one show: those that undo the same share of both sides, or of one side
/// alone.
pub(super) fn hashes(square: &Square, within: Window) -> Vec<Pdq> {
    let turned = |(share, (middle, reach)): (Option<usize>, Side)| {
        let waves = waves((within.x + within.across * middle, within.across * reach));
        let points = |point: usize| std::array::from_fn(|frequency| waves[frequency][point]);
        (share, std::array::from_fn(points))
    };
    let columns: Vec<(Option<usize>, [[f32; KEPT]; SIDE])> = sides().map(turned).collect();
    let mut hashes = Vec::new();
    for (share, (middle, reach)) in sides() {
        let half = along(square, (within.y + within.along * middle, within.along * reach));
        let fitting = columns
            .iter()
            .filter(|(other, _)| *other == share || other.is_none() || share.is_none());
        hashes.extend(fitting.map(|(_, columns)| Transform::across(&half, columns).hash()));
    }
    hashes
}

/// The waves over the points of a side, as seen through a part of it.
fn waves((middle, reach): Side) -> Box<Waves> {
    let mut waves = Box::new([[0.0; SIDE]; KEPT]);
    for (point, cosines) in COSINES.iter().enumerate() {
        // A point of the square stands for the middle of what it was taken from.
        let at = (mirrored(middle + reach * place(point)) + 1.0) / 2.0 * SIDE as f32 - 0.5;
        let (before, after, share) = around(at, SIDE);
        for (wave, cosine) in waves.iter_mut().zip(cosines) {
            wave[before] += cosine * (1.0 - share);
            wave[after] += cosine * share;
        }
    }
    waves
}

/// The amounts of the frequencies along the columns.
fn along(square: &Square, side: Side) -> Box<Waves> {
    let waves = waves(side);
    let mut half = Box::new([[0.0; SIDE]; KEPT]);
    for (sums, wave) in half.iter_mut().zip(waves.iter()) {
        for (points, amount) in square.chunks_exact(SIDE).zip(wave) {
            // Of a part of a side many points are not seen.
            if *amount != 0.0 {
                sums.iter_mut().zip(points).for_each(|(sum, point)| *sum += amount * point);
            }
        }
    }
    half
}
