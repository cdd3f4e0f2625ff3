//! Deciding and escalating under a lease. The decision, the mark on the decision that it
//! overturns, the end of the lease and the event commit together.

use contracts::review::v1::case::Kind;
use contracts::review::v1::decide_case_request::Verdict;
use contracts::review::v1::decision::Outcome;
use contracts::review::v1::review_event::Event;
use contracts::review::v1::{
    AppealCaseDecided, CaseDecided, CaseEscalated, DecideCaseRequest, DecideCaseResponse, Decision,
    EscalateCaseRequest, EscalateCaseResponse, Note,
};
use kit::db::Tx;
use kit::idempotency::{Call, Claim};
use kit::{Caller, Error, Time, tx};
use pack::Pack;
use tonic::{Request, Response, Status};

use super::Review;
use super::refusal::{self, case_not_found, queue_unknown};
use crate::case::{Case, Held};
use crate::verdict::Appealed;
use crate::{event, intake, render, store, verdict};

/// DecideCase.
pub async fn decide(
    review: &Review,
    request: Request<DecideCaseRequest>,
) -> Result<Response<DecideCaseResponse>, Status> {
    let caller = Caller::of(&request);
    let message = request.into_inner();
    let now = review.clock.now();
    let pack = review.packs.current()?;
    let Some(found) = &message.verdict else {
        return Err(Error::invalid("verdict", "must be given").into());
    };
    let call = Call::new(&caller.subject, &message.request_id, "DecideCase", &message, now);
    let response = tx!(review.db, "decide_case", |tx| -> Result<_, Error> {
        let pending = match call.claim::<DecideCaseResponse>(tx).await? {
            Claim::Replay(response) => return Ok(response),
            Claim::Fresh(pending) => pending,
        };
        let locked = store::case::lock(tx, &message.case_id, &caller.subject).await?;
        let (stored, reviewer) = locked.ok_or_else(|| case_not_found(&message.case_id))?;
        let mut case = stored.clone();
        let decision_id = review.ids.new_id("dec", now);
        let held = Held { reviewer_id: &reviewer, fencing_token: message.fencing_token };
        case.decide(held, &message.etag, verdict::outcome(found), &decision_id, now)
            .map_err(|refused| refusal::error(&message.case_id, refused))?;
        let overturned_before = match &case.appeal {
            Some(appeal) => {
                let appealed = appealed(tx, &appeal.appealed_decision_id).await?;
                verdict::fits(found, appealed)?;
                appealed.overturned
            }
            None => false,
        };
        let decision = Decision {
            rationale: message.rationale.clone(),
            ..decision(&case, found, &pack, &reviewer, now)?
        };
        store::decision::insert(tx, &decision, now).await?;
        if overturns(&decision) {
            let appealed = &decision.appealed_decision_id;
            store::decision::overturn(tx, appealed, &decision.decision_id).await?;
        }
        store::case::save(tx, &[(&stored, &case)]).await?;
        let told = decided(&case, &decision, &pack, overturned_before);
        event::append(tx, &review.ids, now, &case.case_id, told);
        let case = render::case(&case, now);
        let response = DecideCaseResponse {
            case: Some(contracts::review::v1::Case { decision: Some(decision), ..case }),
        };
        pending.answer(tx, &response).await?;
        Ok(response)
    })?;
    Ok(Response::new(response))
}

/// The decision of a case that has just been decided, without its rationale.
fn decision(
    case: &Case,
    found: &Verdict,
    pack: &Pack,
    reviewer_id: &str,
    now: Time,
) -> Result<Decision, Error> {
    let appeal = case.appeal.as_ref();
    Ok(Decision {
        decision_id: case.decision_id.clone(),
        case_id: case.case_id.clone(),
        outcome: verdict::outcome(found) as i32,
        violation: verdict::violation(found, pack, now)?,
        appeal_reasons: verdict::appeal_reasons(found).to_owned(),
        pack_version: pack.version(),
        reviewer_id: reviewer_id.to_owned(),
        decide_time: Some(now.into()),
        rationale: String::new(),
        overturned_by_decision_id: String::new(),
        appealed_decision_id: appeal
            .map(|appeal| appeal.appealed_decision_id.clone())
            .unwrap_or_default(),
        manifestly_unfounded: verdict::manifestly_unfounded(found),
    })
}

/// What an appeal is against, locked, so that of two appeals against it the second to be decided
/// knows of the first.
async fn appealed(tx: &mut Tx, decision_id: &str) -> Result<Appealed, Error> {
    let missing = |id: &str| Error::internal(format!("an appeal against no decision: {id}"));
    let first = store::decision::lock(tx, decision_id).await?;
    let first = first.ok_or_else(|| missing(decision_id))?;
    let (found, overturned) =
        (first.violation.is_some(), !first.overturned_by_decision_id.is_empty());
    let mut last = first;
    while !last.overturned_by_decision_id.is_empty() {
        let by = last.overturned_by_decision_id;
        last = store::decision::lock(tx, &by).await?.ok_or_else(|| missing(&by))?;
    }
    Ok(Appealed { found, overturned, stands: last.violation.is_some() })
}

fn overturns(decision: &Decision) -> bool {
    matches!(decision.outcome(), Outcome::Overturned | Outcome::PartiallyOverturned)
}

fn decided(case: &Case, decision: &Decision, pack: &Pack, overturned_before: bool) -> Event {
    let violation = decision.violation.as_ref();
    let imitation_found = violation.is_some_and(|found| intake::is_imitation(&found.policy, pack));
    let decision = Some(render::decision_in_event(decision));
    let subject = Some(case.subject.clone());
    match &case.appeal {
        None => Event::CaseDecided(CaseDecided {
            case_id: case.case_id.clone(),
            subject,
            area: case.area.clone(),
            decision,
            source: case.source as i32,
            reason: case.first_reason.clone(),
            language: case.language.clone(),
            imitation_found,
        }),
        Some(appeal) => Event::AppealCaseDecided(AppealCaseDecided {
            case_id: case.case_id.clone(),
            appeal_id: appeal.appeal_id.clone(),
            subject,
            decision,
            appealed_case_id: appeal.appealed_case_id.clone(),
            source: case.source as i32,
            reason: case.first_reason.clone(),
            imitation_found,
            overturned_before,
        }),
    }
}

/// EscalateCase.
pub async fn escalate(
    review: &Review,
    request: Request<EscalateCaseRequest>,
) -> Result<Response<EscalateCaseResponse>, Status> {
    let caller = Caller::of(&request);
    let message = request.into_inner();
    let now = review.clock.now();
    let pack = review.packs.current()?;
    let call = Call::new(&caller.subject, &message.request_id, "EscalateCase", &message, now);
    let response = tx!(review.db, "escalate_case", |tx| -> Result<_, Error> {
        let pending = match call.claim::<EscalateCaseResponse>(tx).await? {
            Claim::Replay(response) => return Ok(response),
            Claim::Fresh(pending) => pending,
        };
        let locked = store::case::lock(tx, &message.case_id, &caller.subject).await?;
        let (stored, reviewer) = locked.ok_or_else(|| case_not_found(&message.case_id))?;
        let mut case = stored.clone();
        let held = Held { reviewer_id: &reviewer, fencing_token: message.fencing_token };
        let queue = target(&pack, &stored, &message.queue);
        // A lost lease is told before a wrong queue.
        case.escalate(held, queue.as_deref().unwrap_or_default(), now)
            .map_err(|refused| refusal::error(&message.case_id, refused))?;
        queue?;
        let note = Note {
            note_id: review.ids.new_id("note", now),
            case_id: case.case_id.clone(),
            reviewer_id: reviewer.clone(),
            text: message.reason.clone(),
            create_time: Some(now.into()),
        };
        store::note::insert(tx, &note, now).await?;
        store::case::save(tx, &[(&stored, &case)]).await?;
        let escalated = CaseEscalated {
            case_id: case.case_id.clone(),
            from_queue: stored.queue.clone(),
            to_queue: case.queue.clone(),
        };
        event::append(tx, &review.ids, now, &case.case_id, Event::CaseEscalated(escalated));
        let response = EscalateCaseResponse { case: Some(render::case(&case, now)) };
        pending.answer(tx, &response).await?;
        Ok(response)
    })?;
    Ok(Response::new(response))
}

/// The queue that a case is escalated to: the named one, or the one that its own queue names.
fn target(pack: &Pack, case: &Case, named: &str) -> Result<String, Error> {
    let here = pack.queue(&case.queue).map_or("", |queue| queue.escalates_to.as_str());
    let code = if named.is_empty() { here } else { named };
    if code.is_empty() {
        return Err(Error::failed_precondition("NO_ESCALATION")
            .message(format!("the queue {} escalates to no other", case.queue))
            .meta("queue", &case.queue)
            .violation("QUEUE", format!("queues/{}", case.queue), "name the queue to move it to"));
    }
    let Some(queue) = pack.queue(code) else {
        return Err(queue_unknown(code).and_invalid("queue", "must be a queue of the active pack"));
    };
    if queue.appeals != (case.kind == Kind::Appeal) {
        return Err(Error::invalid("queue", "must be a queue for this kind of case"));
    }
    if queue.code == case.queue {
        return Err(Error::invalid("queue", "must be another queue than the case's own"));
    }
    Ok(queue.code.clone())
}
