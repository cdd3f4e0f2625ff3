//! What matches, claims and exemptions of impersonation do to cases.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use contracts::impersonation::v1::{Claim, Exemption, Match};
use contracts::review::v1::case::{Kind, State};
use contracts::review::v1::review_event::Event;
use contracts::review::v1::{ImpersonationAdded, ReportAdded};
use contracts::types::v1::{Severity, Source, Subject, SubjectType};
use kit::Time;
use pack::Pack;
use prost_types::Timestamp;

use super::{DUE_DEFAULT, Filed, Intake, Key, fallback_area};
use crate::case::Case;

/// The reason that matches stand for: the platform's own finding.
pub const MATCH_REASON: &str = "identity.impersonation";
/// The reason that claims stand for: the imitated says so.
pub const CLAIM_REASON: &str = "identity.impersonates_me";

/// What the impersonation service knows that concerns a case.
#[derive(Clone, Debug, PartialEq)]
pub enum Item {
    /// An account looks like a protected identity.
    Match(Box<Match>),
    /// Somebody is imitated, or says so.
    Claim(Box<Claim>),
    /// An account says, or staff grants, that it may look like somebody.
    Exemption(Exemption),
}

impl Item {
    /// `mat_…`, `clm_…` or `exm_…`.
    pub fn id(&self) -> &str {
        match self {
            Item::Match(found) => &found.match_id,
            Item::Claim(claim) => &claim.claim_id,
            Item::Exemption(exemption) => &exemption.exemption_id,
        }
    }
}

/// An item to be stored, in place of what is stored of it in its case.
#[derive(Clone, Debug, PartialEq)]
pub struct NewItem {
    /// The item as it came.
    pub item: Item,
    /// Whether it fell away within the batch.
    pub withdrawn: bool,
    /// When it came.
    pub add_time: Time,
}

/// An item that is stored in an open case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredItem {
    /// Its id.
    pub item_id: String,
    /// Its case.
    pub case_id: String,
    /// Whether it fell away already.
    pub withdrawn: bool,
}

/// What a batch knows of items, and what it leaves to be written.
#[derive(Clone, Debug, Default)]
pub struct Items {
    /// By item: its open case, and whether it fell away.
    known: HashMap<String, (String, bool)>,
    /// By case and item: to be stored.
    pub put: BTreeMap<(String, String), NewItem>,
    /// Cases and items: stored, to be marked as fallen away.
    pub fallen: BTreeSet<(String, String)>,
}

impl Filed {
    /// A match, under the active pack. One whose reason the pack does not know is reviewed in a
    /// general area.
    pub fn of_match(found: &Match, time: Time, pack: &Pack) -> Filed {
        let account = &found.account_id;
        let kind = Kind::ImpersonationMatch;
        Filed::about_account(kind, &found.match_id, account, time, pack)
    }

    /// A claim, in the same way.
    pub fn of_claim(claim: &Claim, time: Time, pack: &Pack) -> Filed {
        let account = &claim.imitator_account_id;
        let kind = Kind::ImpersonationClaim;
        Filed::about_account(kind, &claim.claim_id, account, time, pack)
    }

    fn about_account(kind: Kind, id: &str, account_id: &str, time: Time, pack: &Pack) -> Filed {
        let (code, source) = match kind {
            Kind::ImpersonationClaim => (CLAIM_REASON, Source::User),
            _ => (MATCH_REASON, Source::Detector),
        };
        let reason = pack.reason(code);
        let policy = reason.and_then(|reason| pack.policy(&reason.policy));
        let minutes = reason.and_then(|reason| pack.sla_minutes(&reason.sla_class));
        let due = minutes.and_then(|minutes| u64::try_from(minutes).ok());
        let due = due.map_or(DUE_DEFAULT, |minutes| Duration::from_secs(60 * minutes));
        Filed {
            report_id: id.to_owned(),
            kind,
            subject: account(account_id),
            area: area(pack),
            reason: code.to_owned(),
            explanation: String::new(),
            source,
            severity: reason.map_or(Severity::High, |reason| reason.severity()),
            policy: policy.map(|policy| policy.code.clone()).unwrap_or_default(),
            exclusive_queue: reason.map(|r| r.exclusive_queue.clone()).unwrap_or_default(),
            file_time: time,
            due_time: time.plus(due),
            snapshot: None,
        }
    }

    /// As which of a report, a match and a claim it is told of.
    pub(super) fn ids(&self) -> [String; 3] {
        let of = |kind| match self.kind == kind {
            true => self.report_id.clone(),
            false => String::new(),
        };
        [of(Kind::Reports), of(Kind::ImpersonationMatch), of(Kind::ImpersonationClaim)]
    }

    /// What is told when it was added to an open case.
    pub(super) fn added_to(&self, case: &Case) -> Event {
        let case_id = case.case_id.clone();
        let [report_id, match_id, claim_id] = self.ids();
        if self.kind == Kind::Reports {
            let report_count = case.report_count;
            return Event::ReportAdded(ReportAdded { case_id, report_id, report_count });
        }
        let impersonation_count = case.impersonation_count;
        Event::ImpersonationAdded(ImpersonationAdded {
            case_id,
            match_id,
            claim_id,
            impersonation_count,
        })
    }
}

fn account(account_id: &str) -> Subject {
    Subject {
        r#type: SubjectType::Account as i32,
        id: account_id.to_owned(),
        owner_account_id: account_id.to_owned(),
    }
}

fn area(pack: &Pack) -> String {
    let policy = pack.reason(MATCH_REASON).and_then(|reason| pack.policy(&reason.policy));
    policy.map_or_else(|| fallback_area(pack), |policy| policy.area.clone())
}

/// Where cases about the imitation of others by an account are found.
pub fn key(account_id: &str, pack: &Pack) -> Key {
    Key { subject_type: SubjectType::Account, subject_id: account_id.to_owned(), area: area(pack) }
}

/// Whether a violation of `policy` is an imitation. Under a pack that does not say which policy
/// that is, every one is.
pub fn is_imitation(policy: &str, pack: &Pack) -> bool {
    let suggested = pack.reason(MATCH_REASON).map(|reason| reason.policy.as_str());
    suggested.is_none_or(|suggested| suggested == policy)
}

/// The instant that a message gives, or now.
pub fn at(time: Option<&Timestamp>, now: Time) -> Time {
    time.and_then(Time::from_timestamp).unwrap_or(now)
}

impl Intake<'_> {
    /// Tells of the stored items that the batch may concern.
    pub fn know(&mut self, items: Vec<StoredItem>) {
        let known = items.into_iter().map(|item| (item.item_id, (item.case_id, item.withdrawn)));
        self.items.known.extend(known);
    }

    /// A match or a claim came, or came again with other evidence.
    pub fn found(&mut self, filed: &Filed, item: Item, new_id: impl FnOnce() -> String) {
        let at = match (self.whereabouts(item.id()), self.open.get(&filed.key()).copied()) {
            (Some((at, false)), _) => {
                // In an open case already: who decides must see how it looks now.
                let changed = self.slots[at].case.evidence_changed(self.now);
                debug_assert!(changed.is_ok(), "only open cases are known by their items");
                at
            }
            (_, Some(at)) => {
                self.add(at, filed);
                at
            }
            (_, None) => self.open_case(filed, new_id()),
        };
        let case_id = self.slots[at].case.case_id.clone();
        self.put_item(case_id, item);
    }

    /// A match fell away or a claim was taken back. False if no open case has it.
    pub fn fallen(&mut self, item_id: &str) -> bool {
        let Some((at, false)) = self.whereabouts(item_id) else { return false };
        let case = &mut self.slots[at].case;
        let case_id = case.case_id.clone();
        let nothing_left = case.withdraw_impersonation(self.now).is_ok()
            && self.slots[at].case.state == State::Withdrawn;
        let place = (case_id.clone(), item_id.to_owned());
        match self.items.put.get_mut(&place) {
            Some(new) => new.withdrawn = true,
            None => drop(self.items.fallen.insert(place)),
        }
        self.items.known.insert(item_id.to_owned(), (case_id.clone(), true));
        if nothing_left {
            self.closed(&case_id);
        }
        true
    }

    /// An exemption was declared, granted or ended: noted in the open case about its account, if
    /// there is one that it concerns.
    pub fn exempted(&mut self, exemption: &Exemption) {
        let Some(&at) = self.open.get(&key(&exemption.account_id, self.pack)) else { return };
        let case = &mut self.slots[at].case;
        if case.impersonation_count > 0 && case.evidence_changed(self.now).is_ok() {
            let case_id = case.case_id.clone();
            self.put_item(case_id, Item::Exemption(exemption.clone()));
        }
    }

    /// In which open case an item is, and whether it fell away.
    fn whereabouts(&self, item_id: &str) -> Option<(usize, bool)> {
        let (case_id, withdrawn) = self.items.known.get(item_id)?;
        let at = *self.by_id.get(case_id)?;
        (self.slots[at].case.state == State::Open).then_some((at, *withdrawn))
    }

    fn put_item(&mut self, case_id: String, item: Item) {
        let item_id = item.id().to_owned();
        let place = (case_id.clone(), item_id.clone());
        self.items.known.insert(item_id, (case_id, false));
        self.items.fallen.remove(&place);
        let new = NewItem { item, withdrawn: false, add_time: self.now };
        self.items.put.insert(place, new);
    }
}
