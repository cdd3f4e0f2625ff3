//! The pack while it is read: what was found so far, which codes were declared where, and which
//! were referred to. It must not know YAML.

use std::collections::{BTreeMap, BTreeSet};

use contracts::policy::v1 as proto;

use super::mistakes::{Mistakes, Spot};

/// What a code may stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Area,
    Reason,
    Policy,
    Ladder,
    Queue,
    SlaClass,
    Label,
}

impl Kind {
    pub const ALL: [Kind; 7] = [
        Kind::Area,
        Kind::Reason,
        Kind::Policy,
        Kind::Ladder,
        Kind::Queue,
        Kind::SlaClass,
        Kind::Label,
    ];

    /// What people call it.
    pub fn noun(self) -> &'static str {
        match self {
            Kind::Area => "area",
            Kind::Reason => "reason",
            Kind::Policy => "policy",
            Kind::Ladder => "ladder",
            Kind::Queue => "queue",
            Kind::SlaClass => "SLA class",
            Kind::Label => "label",
        }
    }

    /// How many of them a pack may have.
    pub fn count_max(self) -> usize {
        match self {
            Kind::Area | Kind::Queue => 100,
            Kind::Reason => 1_000,
            Kind::Policy => 500,
            Kind::Ladder => 20,
            Kind::SlaClass => 50,
            Kind::Label => 1_000,
        }
    }
}

/// A place that names a code declared elsewhere.
#[derive(Debug)]
struct Use {
    kind: Kind,
    code: String,
    spot: Spot,
    what: String,
}

/// What was read.
#[derive(Debug, Default)]
pub(super) struct Draft {
    /// The pack, without what could not be read.
    pub pack: proto::Pack,
    /// The queues that reasons send all their cases to, and where they say so.
    pub exclusives: Vec<(String, Spot)>,
    declared: BTreeMap<(Kind, String), Spot>,
    counts: BTreeMap<Kind, usize>,
    uses: Vec<Use>,
    /// Kinds of which some could not be read, so that a missing code proves nothing.
    unsure: BTreeSet<Kind>,
}

impl Draft {
    /// Notes where a code is declared; the second declaration of one is a mistake.
    pub fn declare(&mut self, mistakes: &mut Mistakes, kind: Kind, code: &str, spot: Spot) {
        let noun = kind.noun();
        if self.declared.contains_key(&(kind, code.to_owned())) {
            mistakes.add(spot, format!("there is another {noun} \"{code}\""));
            return;
        }
        self.declared.insert((kind, code.to_owned()), spot);
        let count = self.counts.entry(kind).or_default();
        *count += 1;
        if *count == kind.count_max() + 1 {
            let text = format!("more than {} of the kind \"{noun}\"", kind.count_max());
            mistakes.add(spot, text);
        }
    }

    /// Notes that a code is referred to.
    pub fn refer(&mut self, kind: Kind, code: &str, spot: Spot, what: &str) {
        self.uses.push(Use { kind, code: code.to_owned(), spot, what: what.to_owned() });
    }

    /// Notes that some of a kind could not be read.
    pub fn unsure_of(&mut self, kind: Kind) {
        self.unsure.insert(kind);
    }

    /// Whether everything of a kind could be read.
    pub fn sure_of(&self, kind: Kind) -> bool {
        !self.unsure.contains(&kind)
    }

    /// Where a code is declared.
    pub fn spot(&self, kind: Kind, code: &str) -> Option<Spot> {
        self.declared.get(&(kind, code.to_owned())).copied()
    }

    /// Where each code of a kind is declared, by code.
    pub fn spots(&self, kind: Kind) -> impl Iterator<Item = (&str, Spot)> {
        self.declared
            .range((kind, String::new())..)
            .take_while(move |((of, _), _)| *of == kind)
            .map(|((_, code), spot)| (code.as_str(), *spot))
    }

    /// Notes every reference to a code that nothing declares.
    pub fn check_uses(&self, mistakes: &mut Mistakes) {
        for Use { kind, code, spot, what } in &self.uses {
            if self.spot(*kind, code).is_none() && self.sure_of(*kind) {
                let near = mistakes.near(code, self.spots(*kind).map(|(code, _)| code));
                let noun = kind.noun();
                mistakes.add(*spot, format!("{what}: there is no {noun} \"{code}\"{near}"));
            }
        }
        for (code, spot) in &self.exclusives {
            let queue = self.pack.queues.iter().find(|queue| queue.code == *code);
            if queue.is_some_and(|queue| !queue.exclusive) {
                let text = format!("the queue \"{code}\" is not exclusive: it would not take them");
                mistakes.add(*spot, text);
            }
        }
    }
}
