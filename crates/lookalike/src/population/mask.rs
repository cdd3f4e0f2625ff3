//! What a name is made of, in 64 bits: its symbols and its pairs of neighbours.
//!
//! An edit takes away at most three of them: a symbol and two pairs, or three pairs where two
//! neighbours change places. So only a name with all but 3e of a key's can have the key within e
//! edits in it. Two edits seldom take away all six, as other parts of the name share bits: five
//! are looked for.

/// Bits for symbols; the rest are for pairs.
const SYMBOL_BITS: u32 = 26;

/// The mask of a name.
pub(super) fn of(name: &[u8]) -> u64 {
    let symbols = name.iter().map(|symbol| u32::from(*symbol) % SYMBOL_BITS);
    let pairs = name.windows(2).map(|pair| {
        let both = u32::from(pair[0]) << 8 | u32::from(pair[1]);
        let mixed = both.wrapping_mul(0x9e37_79b1) >> 16;
        SYMBOL_BITS + ((mixed * (u64::BITS - SYMBOL_BITS)) >> 16)
    });
    symbols.chain(pairs).fold(0, |mask, bit| mask | 1 << bit)
}

/// How many bits of a key's mask may be missing from a name with the key in it.
pub(super) fn missing_max(edits: u32) -> u32 {
    (3 * edits).min(5)
}
