//! What messages of the log mean for the memory: who and what is to be read again.
//!
//! It must not know how that is read.

use contracts::impersonation::v1::ImpersonationEvent;
use contracts::impersonation::v1::impersonation_event::Event;
use kit::Error;
use kit::watch::{Item, Token};

use crate::events::kind;

/// What one message of the log means for the memory.
#[derive(Debug)]
pub(super) enum Meaning {
    /// Only that the log has come this far.
    Nothing,
    /// These identities are to be read again.
    Identities(Vec<String>),
    /// The thresholds are to be read again.
    Thresholds,
    /// Accounts were observed, and of some of them names and pictures are to be counted.
    Observed { accounts: Vec<String>, restyled: Vec<String> },
    /// Accounts were forgotten.
    Forgotten(Vec<String>),
    /// An account may have an exemption.
    Exempted(String),
}

/// What some messages of the log mean together.
#[derive(Debug, Default)]
pub(super) struct Meanings {
    /// These identities are to be read again.
    pub(super) identities: Vec<String>,
    /// Whether the thresholds are.
    pub(super) thresholds: bool,
    /// Accounts that were observed or forgotten.
    pub(super) accounts: Vec<String>,
    /// Accounts whose names and pictures are to be counted.
    pub(super) restyled: Vec<String>,
    /// Accounts that may have exemptions.
    pub(super) exempted: Vec<String>,
}

impl Meanings {
    pub(super) fn of(messages: Vec<Message>) -> Meanings {
        let mut all = Meanings::default();
        for message in messages {
            match message.meaning {
                Meaning::Nothing => {}
                Meaning::Identities(changed) => all.identities.extend(changed),
                Meaning::Thresholds => all.thresholds = true,
                Meaning::Observed { accounts, restyled } => {
                    all.accounts.extend(accounts);
                    all.restyled.extend(restyled);
                }
                Meaning::Forgotten(accounts) => all.accounts.extend(accounts),
                Meaning::Exempted(account) => all.exempted.push(account),
            }
        }
        all
    }
}

/// One message of the log.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) seq: i64,
    pub(super) meaning: Meaning,
    /// A checkpoint: the log has nothing more for now.
    pub(super) caught_up: bool,
}

/// A message from an event or a checkpoint.
pub(super) fn message(item: &Item<'_>) -> Result<Message, Error> {
    let Some(event) = item.event else {
        let seq = Token::decode(&item.token).map_or(0, |token| token.seq);
        return Ok(Message { seq, meaning: Meaning::Nothing, caught_up: true });
    };
    let known = [
        kind::IDENTITIES_ENROLLED,
        kind::IDENTITY_CHANGED,
        kind::IDENTITY_ENDED,
        kind::THRESHOLDS_CHANGED,
        kind::PROFILES_OBSERVED,
        kind::PROFILES_FORGOTTEN,
        kind::EXEMPTION_CHANGED,
    ];
    let meaning = if known.contains(&event.kind.as_str()) {
        match event.decode::<ImpersonationEvent>()?.event {
            Some(Event::IdentitiesEnrolled(enrolled)) => Meaning::Identities(
                enrolled.identities.into_iter().map(|enrolled| enrolled.identity_id).collect(),
            ),
            Some(Event::IdentityChanged(changed)) => Meaning::Identities(vec![changed.identity_id]),
            Some(Event::IdentityEnded(ended)) => Meaning::Identities(vec![ended.identity_id]),
            Some(Event::ThresholdsChanged(_)) => Meaning::Thresholds,
            Some(Event::ProfilesObserved(observed)) => Meaning::Observed {
                accounts: observed.account_ids,
                restyled: observed.restyled_account_ids,
            },
            Some(Event::ProfilesForgotten(gone)) => Meaning::Forgotten(gone.account_ids),
            Some(Event::ExemptionChanged(changed)) => {
                Meaning::Exempted(changed.exemption.unwrap_or_default().account_id)
            }
            _ => Meaning::Nothing,
        }
    } else {
        Meaning::Nothing
    };
    Ok(Message { seq: event.seq, meaning, caught_up: false })
}
