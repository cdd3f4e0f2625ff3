//! A protected identity: what may be said of it, what lapses when it changes, when it ends.
//!
//! Pure: no IO, no clock. It must not know how identities are found or stored.

use std::collections::BTreeSet;

use contracts::impersonation::v1::protected_identity::State;
use contracts::impersonation::v1::verification::{Attribute, State as Verified};
use contracts::impersonation::v1::{
    Affiliate, IdentitySpec, ProfileSnapshot, ProtectedIdentity, Verification,
};
use kit::{Error, Time};

use crate::detect;
use crate::exemption::NEVER;
use crate::picture::Pictures;

/// The type prefix of an identity's id.
pub const ID_PREFIX: &str = "idn";
/// Verifications that are kept; the oldest that no longer hold go first.
const VERIFICATIONS_MAX: usize = 100;
/// Lengths of EAN and GTIN codes.
const EAN_LENGTHS: [usize; 4] = [8, 12, 13, 14];

/// A protected identity.
#[derive(Clone, Debug, PartialEq)]
pub struct Identity {
    /// Its id.
    pub identity_id: String,
    /// What the index in memory calls it.
    pub number: i64,
    /// Where it stands.
    pub state: State,
    /// What protects it, without pictures.
    pub spec: IdentitySpec,
    /// Its pictures.
    pub pictures: Pictures,
    /// What was verified, newest first.
    pub verifications: Vec<Verification>,
    /// Why it was ended.
    pub end_reason: String,
    /// When it was enrolled.
    pub create_time: Time,
    /// When it last changed.
    pub update_time: Time,
    /// Rises with every change.
    pub version: i64,
}

/// What a change did.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Changed {
    /// What had been verified and is so no longer.
    pub lapsed: Vec<Verification>,
    /// Whether what it is found by changed.
    pub appearance: bool,
    /// Whether its protection is over.
    pub over: bool,
}

fn time(stamp: &Option<prost_types::Timestamp>) -> Option<Time> {
    stamp.as_ref().and_then(Time::from_timestamp)
}

/// Names everything that is wrong with a spec beyond the rules of the contract, below `path`.
pub fn check(spec: &IdentitySpec, path: &str, now: Time, mut wrong: Error) -> Error {
    if spec.handle.trim().is_empty() && spec.display_name.trim().is_empty() {
        let what = "must be given, or a display name";
        wrong = wrong.and_invalid(format!("{path}.handle"), what);
    }
    for (index, code) in spec.ean_codes.iter().enumerate() {
        if !is_ean(code) {
            let what = "must be 8, 12, 13 or 14 digits of which the last one checks the others";
            wrong = wrong.and_invalid(format!("{path}.ean_codes[{index}]"), what);
        }
    }
    for (index, market) in spec.markets.iter().enumerate() {
        if !market.bytes().all(|letter| letter.is_ascii_uppercase()) {
            let what = "must be two upper-case letters";
            wrong = wrong.and_invalid(format!("{path}.markets[{index}]"), what);
        }
    }
    let mut accounts: BTreeSet<&str> = spec.account_ids.iter().map(String::as_str).collect();
    for (index, affiliate) in spec.affiliates.iter().enumerate() {
        if !accounts.insert(&affiliate.account_id) {
            let field = format!("{path}.affiliates[{index}].account_id");
            wrong = wrong.and_invalid(field, "must not be named twice, nor among its own accounts");
        }
    }
    if time(&spec.expire_time).is_some_and(|expire| expire <= now) {
        wrong = wrong.and_invalid(format!("{path}.expire_time"), "must be in the future");
    }
    if time(&spec.known_since_time).is_some_and(|since| since > now) {
        wrong = wrong.and_invalid(format!("{path}.known_since_time"), "must not be in the future");
    }
    wrong
}

/// Whether a code has a length of EAN or GTIN and its last digit checks the others.
fn is_ean(code: &str) -> bool {
    let digits = code.bytes().rev().map(|b| b.is_ascii_digit().then(|| u32::from(b - b'0')));
    let Some(digits) = digits.collect::<Option<Vec<u32>>>() else { return false };
    let weighed = |(at, digit): (usize, &u32)| if at % 2 == 1 { 3 * digit } else { *digit };
    let sum: u32 = digits.iter().enumerate().map(weighed).sum();
    EAN_LENGTHS.contains(&digits.len()) && sum.is_multiple_of(10)
}

/// A new identity under protection.
pub fn enrol(spec: IdentitySpec, pictures: Pictures, identity_id: String, now: Time) -> Identity {
    Identity {
        identity_id,
        number: 0,
        state: State::Active,
        spec: IdentitySpec { avatars: Vec::new(), ..spec },
        pictures,
        verifications: Vec::new(),
        end_reason: String::new(),
        create_time: now,
        update_time: now,
        version: 1,
    }
}

impl Identity {
    /// The owner's account; empty for none.
    pub fn owner(&self) -> &str {
        self.spec.account_ids.first().map_or("", String::as_str)
    }

    /// Whether this account is the identity itself.
    pub fn is_own(&self, account_id: &str) -> bool {
        !account_id.is_empty() && self.spec.account_ids.iter().any(|own| own == account_id)
    }

    /// The affiliate that this account is.
    pub fn affiliate(&self, account_id: &str) -> Option<&Affiliate> {
        self.spec.affiliates.iter().find(|affiliate| affiliate.account_id == account_id)
    }

    /// Since when it has its name.
    pub fn known_since(&self) -> Time {
        time(&self.spec.known_since_time).unwrap_or(self.create_time)
    }

    /// Whether it is protected in a market; an empty one means anywhere.
    pub fn protected_in(&self, market: &str) -> bool {
        let markets = &self.spec.markets;
        market.is_empty()
            || markets.is_empty()
            || markets.iter().any(|protected| protected.eq_ignore_ascii_case(market))
    }

    /// What changes with every change.
    pub fn etag(&self) -> String {
        format!("v{}", self.version)
    }

    /// When its protection or the first verification runs out.
    pub fn next_lapse(&self) -> Time {
        let valid = self.verifications.iter().filter(|v| v.state() == Verified::Valid);
        let ends = valid.map(|v| time(&v.expire_time)).chain([time(&self.spec.expire_time)]);
        ends.flatten().min().unwrap_or(NEVER)
    }

    /// Whether the identity has exactly this value.
    pub fn holds(&self, attribute: Attribute, value: &str) -> bool {
        let spec = &self.spec;
        match attribute {
            Attribute::Unspecified => false,
            Attribute::Handle => spec.handle == value,
            Attribute::DisplayName => spec.display_name == value,
            Attribute::Avatar => {
                let hex = |pdq: &[u8]| pdq.iter().map(|b| format!("{b:02x}")).collect::<String>();
                self.pictures.pictures.iter().any(|picture| hex(picture.pdq()) == value)
            }
            Attribute::Link => spec.links.iter().any(|link| link == value),
            Attribute::BrandMark => spec.brand_marks.iter().any(|mark| mark.words == value),
            Attribute::Account => spec.account_ids.iter().any(|account| account == value),
        }
    }

    /// Whether this value was verified and the verification still holds.
    pub fn verified(&self, attribute: Attribute, value: &str) -> bool {
        self.verifications
            .iter()
            .any(|v| v.state() == Verified::Valid && v.attribute() == attribute && v.value == value)
    }

    /// Takes a new spec; what had been verified lapses where its value is gone.
    pub fn update(&mut self, spec: IdentitySpec, pictures: Pictures, now: Time) -> Changed {
        let before = self.compared();
        self.spec = IdentitySpec { avatars: Vec::new(), ..spec };
        self.pictures = pictures;
        let mut verifications = std::mem::take(&mut self.verifications);
        let mut lapsed = Vec::new();
        for verification in &mut verifications {
            let valid = verification.state() == Verified::Valid;
            if valid && !self.holds(verification.attribute(), &verification.value) {
                verification.set_state(Verified::Lapsed);
                verification.lapse_time = Some(now.into());
                lapsed.push(verification.clone());
            }
        }
        self.verifications = verifications;
        self.touch(now);
        Changed { lapsed, appearance: self.compared() != before, over: false }
    }

    /// Records that a value that it holds was verified; one that held before of the same value is
    /// replaced.
    pub fn verify(&mut self, new: Verification, now: Time) {
        let same = |v: &Verification| v.attribute == new.attribute && v.value == new.value;
        self.verifications.retain(|verification| !same(verification));
        self.verifications.insert(0, new);
        while self.verifications.len() > VERIFICATIONS_MAX {
            let over = |v: &Verification| v.state() != Verified::Valid;
            let oldest = self.verifications.iter().rposition(over);
            self.verifications.remove(oldest.unwrap_or(self.verifications.len() - 1));
        }
        self.touch(now);
    }

    /// Ends the protection.
    pub fn end(&mut self, why: &str, now: Time) {
        self.state = State::Ended;
        why.clone_into(&mut self.end_reason);
        self.touch(now);
    }

    /// Lets run out what has by `now`.
    pub fn run_out(&mut self, now: Time) -> Changed {
        let mut changed = Changed::default();
        for verification in &mut self.verifications {
            let valid = verification.state() == Verified::Valid;
            if valid && time(&verification.expire_time).is_some_and(|expire| expire <= now) {
                verification.set_state(Verified::Expired);
                changed.lapsed.push(verification.clone());
            }
        }
        if time(&self.spec.expire_time).is_some_and(|expire| expire <= now) {
            self.state = State::Expired;
            changed.over = true;
        }
        self.touch(now);
        changed
    }

    fn touch(&mut self, now: Time) {
        self.update_time = now;
        self.version += 1;
    }

    /// What the detector compares.
    pub fn compared(&self) -> detect::Identity {
        let marks = self.spec.brand_marks.iter().map(|mark| mark.words.clone());
        detect::Identity {
            number: self.number.unsigned_abs(),
            handle: self.spec.handle.clone(),
            display_name: self.spec.display_name.clone(),
            aliases: self.spec.aliases.iter().cloned().chain(marks).collect(),
            avatars: self.pictures.hashes(),
            bio: self.spec.bio.clone(),
            links: self.spec.links.clone(),
            followers: self.spec.followers.unsigned_abs(),
        }
    }

    /// How it stands, for a match.
    pub fn snapshot(&self) -> ProfileSnapshot {
        ProfileSnapshot {
            account_id: self.owner().to_owned(),
            handle: self.spec.handle.clone(),
            display_name: self.spec.display_name.clone(),
            bio: self.spec.bio.clone(),
            links: self.spec.links.clone(),
            followers: Some(self.spec.followers),
            avatars: self.pictures.render(),
            account_create_time: None,
        }
    }

    /// As the contract shows it.
    pub fn render(&self) -> ProtectedIdentity {
        ProtectedIdentity {
            identity_id: self.identity_id.clone(),
            state: self.state.into(),
            spec: Some(self.spec.clone()),
            avatars: self.pictures.render(),
            verifications: self.verifications.clone(),
            end_reason: self.end_reason.clone(),
            create_time: Some(self.create_time.into()),
            update_time: Some(self.update_time.into()),
            etag: self.etag(),
        }
    }
}

#[cfg(test)]
mod tests;
