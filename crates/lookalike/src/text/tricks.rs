//! What was done to a name so that it looks like another: for evidence and as a signal.

/// A kind of trick.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum TrickKind {
    /// A letter of another script, or a rare one, that looks like a common one.
    Confusable,
    /// A digit or sign that stands for a letter.
    Leet,
    /// A wide form of a letter.
    Fullwidth,
    /// A letter in another style: mathematical, circled, small capital, turned …
    Fancy,
    /// A character that is not seen.
    Invisible,
    /// A character that is not seen and changes the order.
    Bidi,
    /// A mark on a letter.
    Mark,
    /// A separator inside the name.
    Separator,
    /// A letter repeated three times or more.
    Repeat,
    /// Scripts mixed within one word.
    MixedScript,
}

impl TrickKind {
    /// How many kinds there are.
    pub const COUNT: usize = 10;
    /// All kinds.
    pub const ALL: [TrickKind; TrickKind::COUNT] = [
        TrickKind::Confusable,
        TrickKind::Leet,
        TrickKind::Fullwidth,
        TrickKind::Fancy,
        TrickKind::Invisible,
        TrickKind::Bidi,
        TrickKind::Mark,
        TrickKind::Separator,
        TrickKind::Repeat,
        TrickKind::MixedScript,
    ];
}

/// One trick: a character and what it reads as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Trick {
    /// The character that is written.
    pub from: char,
    /// The first letter that it reads as; `None` if it is not read.
    pub to: Option<char>,
    /// What kind of trick it is.
    pub kind: TrickKind,
}

/// The most different tricks that are listed; all are counted.
pub const MAX_TRICKS: usize = 16;

/// The tricks of a name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tricks {
    list: Vec<Trick>,
    counts: [u16; TrickKind::COUNT],
}

impl Tricks {
    /// The different tricks in the order in which they first appear.
    #[must_use]
    pub fn list(&self) -> &[Trick] {
        &self.list
    }

    /// How often a kind of trick appears.
    #[must_use]
    pub const fn count(&self, kind: TrickKind) -> u16 {
        self.counts[kind as usize]
    }

    /// How many tricks of all kinds.
    #[must_use]
    pub fn total(&self) -> u32 {
        self.counts.iter().map(|&each| u32::from(each)).sum()
    }

    /// Whether a word has letters of several scripts that do not belong together.
    #[must_use]
    pub const fn mixed_script(&self) -> bool {
        self.count(TrickKind::MixedScript) > 0
    }

    pub(super) fn add(&mut self, kind: TrickKind, from: char, to: Option<char>) {
        let count = &mut self.counts[kind as usize];
        *count = count.saturating_add(1);
        let trick = Trick { from, to, kind };
        if self.list.len() < MAX_TRICKS && !self.list.contains(&trick) {
            self.list.push(trick);
        }
    }
}
