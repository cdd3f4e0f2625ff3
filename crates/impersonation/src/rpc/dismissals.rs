//! Matches: dismissed by staff.

use contracts::impersonation::v1::r#match::State;
use contracts::impersonation::v1::{DismissMatchRequest, DismissMatchResponse};
use kit::idempotency::{Call, Claim};
use kit::{Caller, Error, tx};
use tonic::{Request, Response};

use super::matches::not_found;
use super::{Answer, Inner};
use crate::events::Events;
use crate::store::matches;

/// See the contract.
pub(super) async fn dismiss_match(
    inner: &Inner,
    request: Request<DismissMatchRequest>,
) -> Answer<DismissMatchResponse> {
    let caller = Caller::of(&request);
    let message = request.into_inner();
    let (ids, now, id) = (&inner.ids, inner.clock.now(), &message.match_id);
    let call = Call::new(&caller.subject, &message.request_id, "DismissMatch", &message, now);
    let answer = tx!(inner.db, "dismiss_match", |tx| -> Result<DismissMatchResponse, Error> {
        let pending = match call.claim(tx).await? {
            Claim::Replay(answer) => return Ok(answer),
            Claim::Fresh(pending) => pending,
        };
        let mut stored = matches::lock(tx, id).await?.ok_or_else(|| not_found(id))?;
        if stored.state() != State::Open {
            return Err(not_open(id, stored.state()));
        }
        stored.shown.set_state(State::Dismissed);
        stored.shown.update_time = Some(now.into());
        matches::update(tx, &stored).await?;
        tx.append(Events { ids, now }.match_resolved(&stored.shown, false));
        let answer = DismissMatchResponse { r#match: Some(stored.shown) };
        pending.answer(tx, &answer).await?;
        Ok(answer)
    })?;
    tracing::info!(match.id = id, by = caller.subject, why = message.reason, "dismissed");
    Ok(Response::new(answer))
}

fn not_open(match_id: &str, state: State) -> Error {
    Error::failed_precondition("MATCH_NOT_OPEN")
        .message("the match is in review, decided or has fallen away")
        .meta("state", state.as_str_name())
        .violation("STATE", format!("matches/{match_id}"), "it must be open and have no case")
}
