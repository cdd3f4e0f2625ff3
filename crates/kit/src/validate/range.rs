//! A lower and an upper bound, as protovalidate combines them.

use std::fmt::{self, Display};

/// Two bounds, each perhaps absent. An upper bound below the lower one turns the range inside
/// out: the value must then lie outside.
#[derive(Debug)]
pub(super) struct Range<T> {
    /// The bound and whether it is itself allowed.
    lower: Option<(T, bool)>,
    upper: Option<(T, bool)>,
    id: &'static str,
}

/// Ids by type: `[gt, gte, lt, lte]`, then each pair, then each pair inside out.
pub(super) struct RangeIds([&'static str; 12]);

/// The ids of the bounds of one type.
macro_rules! range_ids {
    ($name:literal) => {
        RangeIds([
            concat!($name, ".gt"),
            concat!($name, ".gte"),
            concat!($name, ".lt"),
            concat!($name, ".lte"),
            concat!($name, ".gt_lt"),
            concat!($name, ".gt_lte"),
            concat!($name, ".gte_lt"),
            concat!($name, ".gte_lte"),
            concat!($name, ".gt_lt_exclusive"),
            concat!($name, ".gt_lte_exclusive"),
            concat!($name, ".gte_lt_exclusive"),
            concat!($name, ".gte_lte_exclusive"),
        ])
    };
}

pub(super) static DOUBLE: RangeIds = range_ids!("double");
pub(super) static INT32: RangeIds = range_ids!("int32");
pub(super) static INT64: RangeIds = range_ids!("int64");
pub(super) static UINT32: RangeIds = range_ids!("uint32");
pub(super) static UINT64: RangeIds = range_ids!("uint64");
pub(super) static DURATION: RangeIds = range_ids!("duration");
pub(super) static TIMESTAMP: RangeIds = range_ids!("timestamp");

impl<T: PartialOrd + Copy> Range<T> {
    /// A range of the bounds that there are.
    pub fn new(lower: Option<(T, bool)>, upper: Option<(T, bool)>, ids: &RangeIds) -> Range<T> {
        let id = match (lower, upper) {
            (None, None) => "",
            (Some((_, inclusive)), None) => ids.0[usize::from(inclusive)],
            (None, Some((_, inclusive))) => ids.0[2 + usize::from(inclusive)],
            (Some((low, low_inclusive)), Some((high, high_inclusive))) => {
                let pair = 2 * usize::from(low_inclusive) + usize::from(high_inclusive);
                ids.0[if high < low { 8 } else { 4 } + pair]
            }
        };
        Range { lower, upper, id }
    }

    /// The id of the rule that the value breaks, if it does. A value that does not compare
    /// (NaN) breaks every bound.
    pub fn broken_by(&self, value: T) -> Option<&'static str> {
        let too_low = self
            .lower
            .is_some_and(|(low, inclusive)| !(if inclusive { value >= low } else { value > low }));
        let too_high = self.upper.is_some_and(|(high, inclusive)| {
            !(if inclusive { value <= high } else { value < high })
        });
        let broken = if self.is_inside_out() { too_low && too_high } else { too_low || too_high };
        broken.then_some(self.id)
    }

    fn is_inside_out(&self) -> bool {
        matches!((self.lower, self.upper), (Some((low, _)), Some((high, _))) if high < low)
    }

    /// What must hold, in words; `show` writes a bound.
    pub fn describe<D: Display>(&self, show: impl Fn(T) -> D) -> String {
        let lower = self.lower.map(|(bound, inclusive)| {
            format!("{} {}", if inclusive { "at least" } else { "greater than" }, show(bound))
        });
        let upper = self.upper.map(|(bound, inclusive)| {
            format!("{} {}", if inclusive { "at most" } else { "less than" }, show(bound))
        });
        let word = if self.is_inside_out() { "or" } else { "and" };
        match (lower, upper) {
            (Some(lower), Some(upper)) => format!("must be {lower} {word} {upper}"),
            (Some(bound), None) | (None, Some(bound)) => format!("must be {bound}"),
            (None, None) => String::new(),
        }
    }
}

/// A number of nanoseconds, shown as seconds.
pub(super) struct Seconds(pub i128);

impl Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let nanos = self.0.unsigned_abs();
        let fraction = format!("{:09}", nanos % 1_000_000_000);
        let fraction = fraction.trim_end_matches('0');
        let point = if fraction.is_empty() { "" } else { "." };
        write!(f, "{sign}{}{point}{fraction}s", nanos / 1_000_000_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_combination_of_bounds_has_its_id_and_its_meaning() {
        type Bound = Option<(i128, bool)>;
        type Row<'r> = (Bound, Bound, &'r [i128], &'r [i128], &'r str);
        let table: &[Row<'_>] = &[
            (Some((1, false)), None, &[2], &[1, 0], "int32.gt"),
            (Some((1, true)), None, &[1], &[0], "int32.gte"),
            (None, Some((9, false)), &[8], &[9], "int32.lt"),
            (None, Some((9, true)), &[9], &[10], "int32.lte"),
            (Some((1, false)), Some((9, false)), &[2, 8], &[1, 9], "int32.gt_lt"),
            (Some((1, true)), Some((9, true)), &[1, 9], &[0, 10], "int32.gte_lte"),
            (Some((1, true)), Some((9, false)), &[1, 8], &[0, 9], "int32.gte_lt"),
            (Some((1, false)), Some((9, true)), &[2, 9], &[1, 10], "int32.gt_lte"),
            (Some((9, true)), Some((1, true)), &[1, 9], &[2, 8], "int32.gte_lte_exclusive"),
            (Some((9, false)), Some((1, false)), &[0, 10], &[1, 9], "int32.gt_lt_exclusive"),
        ];
        for (lower, upper, good, bad, id) in table {
            let range = Range::new(*lower, *upper, &INT32);
            for value in *good {
                assert_eq!(range.broken_by(*value), None, "{id} {value}");
            }
            for value in *bad {
                assert_eq!(range.broken_by(*value), Some(*id), "{id} {value}");
            }
            assert!(range.describe(|bound| bound).starts_with("must be "));
        }
    }

    #[test]
    fn nan_breaks_every_bound() {
        for range in [
            Range::new(Some((0.0, true)), None, &DOUBLE),
            Range::new(None, Some((0.0, true)), &DOUBLE),
            Range::new(Some((2.0, true)), Some((1.0, true)), &DOUBLE),
        ] {
            assert!(range.broken_by(f64::NAN).is_some());
        }
    }

    #[test]
    fn seconds_read_well() {
        for (nanos, text) in
            [(0, "0s"), (1_500_000_000, "1.5s"), (-1, "-0.000000001s"), (60_000_000_000, "60s")]
        {
            assert_eq!(Seconds(nanos).to_string(), text);
        }
    }
}
