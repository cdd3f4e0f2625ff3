//! What a name is made of, in 128 bits: its symbols and its pairs of neighbours.
//!
//! An edit takes away at most three of them: a symbol and two pairs, or three pairs where two
//! neighbours change places. So only a name with all but 3e of a key's can have the key within e
//! edits in it. Two edits seldom take away all six, as other parts of the name share bits: five
//! are looked for.

/// Bits of a mask.
pub(super) const BITS: usize = u128::BITS as usize;
/// Bits for symbols; the rest are for pairs.
const SYMBOL_BITS: u32 = 26;
/// The bits of pairs.
pub(super) const PAIRS: u128 = u128::MAX << SYMBOL_BITS;

/// The bit of a symbol.
pub(super) fn symbol_bit(symbol: u8) -> u8 {
    (u32::from(symbol) % SYMBOL_BITS) as u8
}

/// The bit of two neighbours.
pub(super) fn pair_bit(first: u8, second: u8) -> u8 {
    let both = u32::from(first) << 8 | u32::from(second);
    let mixed = both.wrapping_mul(0x9e37_79b1) >> 16;
    (SYMBOL_BITS + ((mixed * (u128::BITS - SYMBOL_BITS)) >> 16)) as u8
}

/// The mask of a name.
pub(super) fn of(name: &[u8]) -> u128 {
    let symbols = name.iter().map(|symbol| symbol_bit(*symbol));
    let pairs = name.windows(2).map(|pair| pair_bit(pair[0], pair[1]));
    symbols.chain(pairs).fold(0, |mask, bit| mask | 1 << bit)
}

/// The most bits of a key's mask that may be missing from a name with the key in it.
pub(super) const MISSING_MAX: u32 = 5;

/// How many may be after so many edits.
pub(super) fn missing_max(edits: u32) -> u32 {
    (3 * edits).min(MISSING_MAX)
}

/// A key after one edit, for tests: a symbol changed, left out or put in, or two changed places.
/// New symbols are from 200 on.
#[cfg(test)]
pub(super) fn one_edit(key: &[u8], at: usize, kind: u8) -> Vec<u8> {
    let mut edited = key.to_vec();
    let at = at % (edited.len() - 1);
    match kind {
        0 => edited[at] = 200,
        1 => {
            edited.remove(at);
        }
        2 => edited.insert(at, 201),
        _ => edited.swap(at, at + 1),
    }
    edited
}
