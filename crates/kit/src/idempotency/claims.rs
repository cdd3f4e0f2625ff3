//! The claims of a batch of calls: all ids in one statement, all answers in another, or with the
//! claims where they are known beforehand.

use std::collections::HashMap;

use prost::Message;
use serde::Serialize;
use tonic::Status;

use super::{ANSWER, Answer, Call, KNOWN, Key, conflict, decode};
use crate::args;
use crate::clock::Time;
use crate::db::{DbError, Hex, Sql, Tx, json};
use crate::error::Error;

/// Inserts what nobody has claimed; waits for those who are claiming the same just now.
pub(super) static CLAIM: Sql = Sql::new(
    "INSERT INTO requests (caller, request_id, fingerprint, response, time)
     SELECT caller, request_id, fingerprint, coalesce(response, fingerprint), time
       FROM jsonb_to_recordset($1) AS n(caller text, request_id text, fingerprint bytea,
                                        response bytea, time bigint)
      WHERE true
     ON CONFLICT (caller, request_id) DO NOTHING
     RETURNING caller, request_id",
);
pub(super) static RELEASE: Sql = Sql::new(
    "DELETE FROM requests WHERE (caller, request_id) IN
     (SELECT caller, request_id
        FROM jsonb_to_recordset($1) AS n(caller text, request_id text))",
);

/// The claims of a batch of calls, for group commit.
#[derive(Debug)]
pub struct Claims<M> {
    calls: Vec<Call>,
    pub(super) states: Vec<State<M>>,
    /// The answers were stored with the claims.
    stored: bool,
}

#[derive(Debug)]
pub(super) enum State<M> {
    Fresh(Option<Result<M, Error>>),
    Replay(M),
    Conflict,
    /// The same call is in the batch already, at that place.
    SameAs(usize),
}

impl<M: Message + Default + Clone> Claims<M> {
    /// Claims all ids at once. Must be the first statement of the transaction.
    ///
    /// # Errors
    /// If a statement fails or a stored answer is not an `M`.
    pub async fn claim(tx: &mut Tx, calls: Vec<Call>) -> Result<Claims<M>, DbError> {
        Claims::claim_with(tx, calls, None).await
    }

    /// Claims all ids at once and stores the answers with them, one for each call: for calls
    /// whose answer is known before anything is done. The fresh ones need no further answer; an
    /// error may still take an answer's place. Must be the first statement of the transaction.
    ///
    /// # Errors
    /// If a statement fails or a stored answer is not an `M`.
    pub async fn claim_answered(
        tx: &mut Tx,
        calls: Vec<Call>,
        answers: Vec<M>,
    ) -> Result<Claims<M>, DbError> {
        if calls.len() != answers.len() {
            return Err(DbError::internal("one answer is needed for each claimed call"));
        }
        Claims::claim_with(tx, calls, Some(answers)).await
    }

    async fn claim_with(
        tx: &mut Tx,
        calls: Vec<Call>,
        mut answers: Option<Vec<M>>,
    ) -> Result<Claims<M>, DbError> {
        let mut first: HashMap<Key<'_>, usize> = HashMap::new();
        let mut duplicates: HashMap<usize, usize> = HashMap::new();
        for (index, call) in calls.iter().enumerate() {
            if let Some(earlier) = first.get(&call.key()) {
                duplicates.insert(index, *earlier);
            } else {
                first.insert(call.key(), index);
            }
        }
        // In key order, so that two batches never wait for each other in a circle.
        let mut order: Vec<usize> = first.values().copied().collect();
        order.sort_unstable_by_key(|index| calls[*index].key());
        let bytes: Option<Vec<Vec<u8>>> = answers
            .as_ref()
            .map(|answers| answers.iter().map(|answer| answer.encode_to_vec()).collect());
        let row = |&index: &usize| {
            let response = bytes.as_ref().map(|bytes| Hex(&bytes[index]));
            NewRow { response, ..NewRow::of(&calls[index]) }
        };
        let rows: Vec<NewRow<'_>> = order.iter().map(row).collect();
        let claimed: Vec<(String, String)> = tx.fetch_all(&CLAIM, args![json(&rows)]).await?;
        if answers.is_none() {
            tx.claimed(claimed.len());
        }

        let mut fresh = vec![false; calls.len()];
        for (caller, request_id) in &claimed {
            if let Some(index) = first.get(&Key { caller, request_id }) {
                fresh[*index] = true;
            }
        }
        let rest: Vec<Key<'_>> =
            order.iter().filter(|index| !fresh[**index]).map(|index| calls[*index].key()).collect();
        let known = if rest.is_empty() { HashMap::new() } else { known(tx, &rest).await? };

        let mut states = Vec::with_capacity(calls.len());
        for (index, call) in calls.iter().enumerate() {
            states.push(match duplicates.get(&index) {
                Some(earlier) if calls[*earlier].fingerprint == call.fingerprint => {
                    State::SameAs(*earlier)
                }
                Some(_) => State::Conflict,
                None if fresh[index] => State::Fresh(
                    answers.as_mut().map(|answers| Ok(std::mem::take(&mut answers[index]))),
                ),
                None => stored(&known, call)?,
            });
        }
        Ok(Claims { calls, states, stored: answers.is_some() })
    }

    /// The places of the calls that must be done, in order.
    pub fn fresh(&self) -> Vec<usize> {
        let fresh = |(index, state): (usize, &State<M>)| match state {
            State::Fresh(_) => Some(index),
            _ => None,
        };
        self.states.iter().enumerate().filter_map(fresh).collect()
    }

    /// Sets the outcome of a fresh call. An error is not stored: a repeat is done anew.
    pub fn answer(&mut self, index: usize, outcome: Result<M, Error>) {
        if let Some(State::Fresh(slot)) = self.states.get_mut(index) {
            *slot = Some(outcome);
        }
    }

    /// Stores the answers and gives one result for each call, in order.
    ///
    /// # Errors
    /// If a statement fails, or a fresh call got no outcome.
    pub async fn finish(self, tx: &mut Tx) -> Result<Vec<Result<M, Status>>, DbError> {
        let (mut answered, mut failed) = (Vec::new(), Vec::new());
        for (call, state) in self.calls.iter().zip(&self.states) {
            match state {
                State::Fresh(Some(Ok(_))) if self.stored => {}
                State::Fresh(Some(Ok(response))) => answered.push((call, response.encode_to_vec())),
                State::Fresh(Some(Err(_))) => failed.push(call.key()),
                State::Fresh(None) => {
                    return Err(DbError::internal("a claimed call of a batch got no answer"));
                }
                _ => {}
            }
        }
        if !answered.is_empty() {
            let rows: Vec<Answer<'_>> = answered
                .iter()
                .map(|(call, response)| Answer {
                    caller: &call.caller,
                    request_id: &call.request_id,
                    response: Hex(response),
                })
                .collect();
            tx.execute(&ANSWER, args![json(&rows)]).await?;
        }
        if !failed.is_empty() {
            tx.execute(&RELEASE, args![json(&failed)]).await?;
        }
        if !self.stored {
            tx.answered(answered.len() + failed.len());
        }
        let mut results: Vec<Result<M, Status>> = Vec::with_capacity(self.calls.len());
        for (call, state) in self.calls.iter().zip(self.states) {
            results.push(match state {
                State::Fresh(Some(outcome)) => outcome.map_err(Status::from),
                State::Replay(response) => Ok(response),
                State::SameAs(earlier) => results[earlier].clone(),
                State::Fresh(None) | State::Conflict => Err(conflict(call).into()),
            });
        }
        Ok(results)
    }
}

#[derive(Serialize)]
struct NewRow<'a> {
    caller: &'a str,
    request_id: &'a str,
    fingerprint: Hex<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response: Option<Hex<'a>>,
    time: Time,
}

impl<'a> NewRow<'a> {
    fn of(call: &'a Call) -> NewRow<'a> {
        NewRow {
            caller: &call.caller,
            request_id: &call.request_id,
            fingerprint: Hex(&call.fingerprint),
            response: None,
            time: call.time,
        }
    }
}

/// Fingerprint and response by key.
type Known = HashMap<(String, String), (Vec<u8>, Vec<u8>)>;

async fn known(tx: &mut Tx, keys: &[Key<'_>]) -> Result<Known, DbError> {
    let rows: Vec<(String, String, Vec<u8>, Vec<u8>)> =
        tx.fetch_all(&KNOWN, args![json(keys)]).await?;
    Ok(rows.into_iter().map(|(caller, id, print, bytes)| ((caller, id), (print, bytes))).collect())
}

fn stored<M: Message + Default>(known: &Known, call: &Call) -> Result<State<M>, DbError> {
    match known.get(&call.key_owned()) {
        Some((fingerprint, response)) if *fingerprint == call.fingerprint => {
            decode(response).map(State::Replay)
        }
        Some(_) => Ok(State::Conflict),
        // Swept between the two statements: nothing is known of it any more.
        None => Err(DbError::contention()),
    }
}
