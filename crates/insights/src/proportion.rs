//! Shares, how sure they are, and whether two differ by more than chance.
//!
//! Pure; it must not know what is counted.

use contracts::insights::v1::Proportion;

/// Standard deviations either side that hold 95 % of a normal distribution.
const Z_95: f64 = 1.959_963_984_540_054;

/// A count as a number: exact up to 2⁵³.
#[expect(clippy::cast_precision_loss, reason = "counts of rows stay far below 2^53")]
pub fn float(count: i64) -> f64 {
    count as f64
}

/// `count` of `total` with Wilson's interval of 95 %: of none it may be anything from 0 to 1.
pub fn proportion(count: i64, total: i64) -> Proportion {
    let (lower, upper) = wilson(count, total, Z_95);
    let share = if total == 0 { 0.0 } else { float(count) / float(total) };
    Proportion { count, total, share, lower, upper }
}

/// Wilson's score interval for `count` of `total`, `z` standard deviations wide to either side:
/// the shares that such a count does not speak against (E. B. Wilson, 1927).
pub fn wilson(count: i64, total: i64, z: f64) -> (f64, f64) {
    if total == 0 {
        return (0.0, 1.0);
    }
    let n = float(total);
    let share = float(count) / n;
    let about = 1.0 + z * z / n;
    let middle = (share + z * z / (2.0 * n)) / about;
    let half = z * (share * (1.0 - share) / n + z * z / (4.0 * n * n)).sqrt() / about;
    ((middle - half).max(0.0), (middle + half).min(1.0))
}

/// How many standard deviations two shares lie apart, if both were one: positive where the first
/// is larger; 0 where nothing can be said.
pub fn difference(one: (i64, i64), other: (i64, i64)) -> f64 {
    if one.1 == 0 || other.1 == 0 {
        return 0.0;
    }
    let (n, m) = (float(one.1), float(other.1));
    let pooled = float(one.0 + other.0) / (n + m);
    let deviation = (pooled * (1.0 - pooled) * (1.0 / n + 1.0 / m)).sqrt();
    let apart = float(one.0) / n - float(other.0) / m;
    if deviation > 0.0 { apart / deviation } else { 0.0 }
}

/// The population stability index of two counts by band: how differently they are spread, 0 for
/// alike. Each band counts half a case more, so that an empty one is no infinity.
pub fn stability(one: &[i64], other: &[i64]) -> f64 {
    let bands = one.len() as f64;
    let total = |counts: &[i64]| float(counts.iter().sum()) + 0.5 * bands;
    let (n, m) = (total(one), total(other));
    let of = |(one, other): (&i64, &i64)| {
        let (p, q) = ((float(*one) + 0.5) / n, (float(*other) + 0.5) / m);
        (p - q) * (p / q).ln()
    };
    one.iter().zip(other).map(of).sum()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_ends_of_an_interval_are_as_far_from_the_share_as_it_is_wide() {
        // What defines them: were the share `end`, the count would lie z deviations from it.
        for (count, total) in [(5, 10), (97, 100), (1, 30), (29, 30)] {
            let found = proportion(count, total);
            for end in [found.lower, found.upper] {
                let deviation = (end * (1.0 - end) / float(total)).sqrt();
                let apart = (found.share - end).abs() / deviation;
                assert!((apart - Z_95).abs() < 1e-9, "{found:?}: {apart}");
            }
        }
        assert!((proportion(5, 10).lower - 0.236_593_1).abs() < 1e-7);
        // All or none leave one end open.
        assert!((proportion(0, 10).upper - 0.277_532_8).abs() < 1e-7);
        assert_eq!(proportion(0, 10).lower, 0.0);
        assert!((proportion(30, 30).upper - 1.0).abs() < 1e-12);
        let none = proportion(0, 0);
        assert_eq!((none.share, none.lower, none.upper), (0.0, 0.0, 1.0));
    }

    #[test]
    fn two_shares_differ_as_the_test_of_two_proportions_says() {
        // (0.9 - 0.8) / sqrt(0.85 * 0.15 * (1/100 + 1/100)).
        assert!((difference((90, 100), (80, 100)) - 1.980_295_1).abs() < 1e-6);
        assert!((difference((80, 100), (90, 100)) + 1.980_295_1).abs() < 1e-6);
        // Where all or none are, or there are none, there is nothing to tell them apart by.
        for (one, other) in [((9, 9), (7, 7)), ((0, 9), (0, 7)), ((0, 0), (0, 0)), ((1, 2), (0, 0))]
        {
            assert!(difference(one, other) == 0.0, "{one:?} {other:?}");
        }
    }

    #[test]
    fn a_spread_is_like_itself_and_the_index_has_no_direction() {
        assert!(stability(&[7, 0, 3], &[7, 0, 3]).abs() < 1e-12);
        // (0.6 - 0.5) * ln(1.2) + (0.4 - 0.5) * ln(0.8), of so many that half a case is nothing.
        let large = stability(&[600_000_000, 400_000_000], &[500_000_000, 500_000_000]);
        assert!((large - 0.040_546_51).abs() < 1e-6, "{large}");
        let (one, other) = ([90, 10, 0], [10, 80, 10]);
        assert!((stability(&one, &other) - stability(&other, &one)).abs() < 1e-12);
        assert!(stability(&one, &other) > 1.0);
    }

    proptest! {
        #[test]
        fn an_interval_holds_its_share_and_narrows_with_more(
            count in 0_i64..500,
            more in 0_i64..500,
        ) {
            let total = count + more;
            prop_assume!(total > 0);
            let found = proportion(count, total);
            prop_assert!(0.0 <= found.lower && found.upper <= 1.0);
            prop_assert!(found.lower <= found.share + 1e-12 && found.share <= found.upper + 1e-12);
            let tenfold = proportion(10 * count, 10 * total);
            prop_assert!(tenfold.upper - tenfold.lower <= found.upper - found.lower);
        }
    }
}
