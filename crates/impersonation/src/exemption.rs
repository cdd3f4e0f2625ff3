//! Why an account may look like a protected identity: a rule of its own, apart from the score.
//!
//! Pure: no IO, no clock. A likeness never makes an exemption, nor does an exemption change a
//! likeness.

use contracts::impersonation::v1::exemption::State;
use contracts::impersonation::v1::exemption_finding::Result as Finding;
use contracts::impersonation::v1::{Exemption, ExemptionFinding, ExemptionKind, Profile};
use kit::Time;

use crate::identity::Identity;
use crate::label::{self, Label};
use crate::picture;
use crate::profile::Observed;

/// The type prefix of an exemption's id.
pub const ID_PREFIX: &str = "exm";
/// The end of what has none.
pub const NEVER: Time = Time::from_micros(i64::MAX);
/// Pictures within this many of 256 bits are the same.
const SAME_PICTURE_BITS: u32 = 31;

/// Whether an account may declare itself this; the rest is granted.
pub fn declarable(kind: ExemptionKind) -> bool {
    use ExemptionKind::{Commentary, Fan, Namesake, Parody};
    matches!(kind, Fan | Parody | Commentary | Namesake)
}

/// What is found, and whether a likeness may still have consequences.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Found {
    /// As the contract shows it.
    pub finding: ExemptionFinding,
    /// Whether nothing graver than a suggestion may follow.
    pub mitigated: bool,
}

impl Found {
    fn exempt(kind: ExemptionKind, exemption_id: &str) -> Found {
        let finding = ExemptionFinding {
            result: Finding::Exempt.into(),
            kind: kind.into(),
            exemption_id: exemption_id.to_owned(),
            missing: Vec::new(),
        };
        Found { finding, mitigated: true }
    }

    fn labelled(label: &Label, exemption_id: &str, mitigated: bool) -> Found {
        if label.whole() {
            return Found::exempt(label.kind, exemption_id);
        }
        let finding = ExemptionFinding {
            result: Finding::LabelIncomplete.into(),
            kind: label.kind.into(),
            exemption_id: exemption_id.to_owned(),
            missing: label.missing.iter().map(|part| (*part).into()).collect(),
        };
        Found { finding, mitigated }
    }

    /// Whether nothing follows from the likeness.
    pub fn is_exempt(&self) -> bool {
        self.finding.result() == Finding::Exempt
    }
}

/// What is on record about an account.
#[derive(Clone, Copy, Debug, Default)]
pub struct Record<'a> {
    /// Its exemptions that hold now.
    pub exemptions: &'a [Exemption],
    /// How it was last observed; none if it never was.
    pub observed: Option<&'a Observed>,
}

/// Whether a profile is exempt from an identity. The profile's pictures are hashes.
pub fn find(profile: &Profile, identity: &Identity, record: Record<'_>) -> Found {
    let account = profile.account_id.as_str();
    if identity.is_own(account) {
        return Found::exempt(ExemptionKind::OwnAccount, "");
    }
    if !account.is_empty() && identity.affiliate(account).is_some() {
        return Found::exempt(ExemptionKind::Affiliate, "");
    }
    let concerns = |exemption: &&Exemption| {
        let of = &exemption.identity_id;
        of.is_empty() || *of == identity.identity_id
    };
    let granted = |exemption: &&Exemption| exemption.state() == State::Granted;
    let on_record: Vec<&Exemption> = record.exemptions.iter().filter(concerns).collect();
    if let Some(exemption) = on_record.iter().copied().find(|e| granted(e)) {
        return Found::exempt(exemption.kind(), &exemption.exemption_id);
    }
    if record.observed.is_some_and(|observed| was_there_first(profile, identity, observed)) {
        return Found::exempt(ExemptionKind::Namesake, "");
    }
    let label = label_of(profile, identity);
    let declared = on_record.first();
    match (label, declared) {
        (Some(label), Some(declared)) => Found::labelled(&label, &declared.exemption_id, true),
        (Some(label), None) => Found::labelled(&label, "", label.mitigates()),
        (None, Some(declared)) => declared_only(profile, identity, declared),
        (None, None) => Found::default(),
    }
}

/// A declaration that the profile itself does not show. It is a word against a word: it is
/// reported with what lacks, and keeps nothing from following.
fn declared_only(profile: &Profile, identity: &Identity, declared: &Exemption) -> Found {
    use contracts::impersonation::v1::LabelPart::{BioDisclaimer, NameKeyword, OwnPicture};
    let mut missing = match declared.kind() {
        ExemptionKind::Namesake => Vec::new(),
        _ => vec![NameKeyword, BioDisclaimer],
    };
    if subjects_picture(profile, identity) {
        missing.push(OwnPicture);
    }
    let finding = ExemptionFinding {
        result: Finding::LabelIncomplete.into(),
        kind: declared.kind,
        exemption_id: declared.exemption_id.clone(),
        missing: missing.iter().map(|part| (*part).into()).collect(),
    };
    // A namesake with a picture of its own shows all that a namesake can show.
    Found { mitigated: missing.is_empty(), finding }
}

fn label_of(profile: &Profile, identity: &Identity) -> Option<Label> {
    label::read(label::Reading {
        display_name: &profile.display_name,
        bio: &profile.bio,
        subject_handle: &identity.spec.handle,
        subject_name: &identity.spec.display_name,
        subjects_picture: subjects_picture(profile, identity),
    })
}

fn subjects_picture(profile: &Profile, identity: &Identity) -> bool {
    let subjects = identity.pictures.hashes();
    let same = |pdq: &crate::detect::Pdq| {
        subjects.iter().any(|subject| subject.distance(pdq) <= SAME_PICTURE_BITS)
    };
    picture::all_hashes(&profile.avatars).iter().any(same)
}

/// A namesake who was there first: an account older than the identity's name, which was seen under
/// its own names before the identity was enrolled and has never had others. It has the same name
/// as written, which is no disguise, and nothing else of the identity's: neither picture nor bio
/// nor links. Age alone proves nothing, since old accounts are bought and renamed.
fn was_there_first(profile: &Profile, identity: &Identity, observed: &Observed) -> bool {
    let known = &observed.profile;
    let own_names = profile.handle == known.handle
        && profile.display_name == known.display_name
        && known.former_names.is_empty()
        && observed.name_time < identity.create_time;
    own_names && may_be_first(profile, identity)
}

/// The part of that rule which asks for nothing but the profile itself.
pub fn may_be_first(profile: &Profile, identity: &Identity) -> bool {
    let created = profile.account_create_time.as_ref().and_then(Time::from_timestamp);
    let older = created.is_some_and(|created| created < identity.known_since());
    if profile.account_id.is_empty() || !older || !profile.former_names.is_empty() {
        return false;
    }
    let spec = &identity.spec;
    let lower = |text: &str| text.trim().to_lowercase();
    let same_name = lower(&profile.display_name) == lower(&spec.display_name);
    let same_bio = !profile.bio.trim().is_empty() && lower(&profile.bio) == lower(&spec.bio);
    let same_link = profile.links.iter().any(|link| spec.links.contains(link));
    let takes = same_bio || same_link || subjects_picture(profile, identity);
    same_name && !takes
}

#[cfg(test)]
mod tests;
