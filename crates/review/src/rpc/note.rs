//! Notes, which only staff can read.

use contracts::review::v1::{
    AddNoteRequest, AddNoteResponse, ListNotesRequest, ListNotesResponse, Note,
};
use kit::idempotency::{Call, Claim};
use kit::{Caller, Error, page, tx};
use tonic::{Request, Response, Status};

use super::Review;
use super::read::{PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX, limit};
use super::refusal::case_not_found;
use crate::store;

/// AddNote.
pub async fn add(
    review: &Review,
    request: Request<AddNoteRequest>,
) -> Result<Response<AddNoteResponse>, Status> {
    let caller = Caller::of(&request);
    let message = request.into_inner();
    let now = review.clock.now();
    let call = Call::new(&caller.subject, &message.request_id, "AddNote", &message, now);
    let response = tx!(review.db, "add_note", |tx| -> Result<_, Error> {
        let pending = match call.claim::<AddNoteResponse>(tx).await? {
            Claim::Replay(response) => return Ok(response),
            Claim::Fresh(pending) => pending,
        };
        if !store::case::exists(tx, &message.case_id).await? {
            return Err(case_not_found(&message.case_id));
        }
        let reviewer_id = store::reviewer::find(tx, &caller.subject, &review.ids, now).await?;
        let note = Note {
            note_id: review.ids.new_id("note", now),
            case_id: message.case_id.clone(),
            reviewer_id,
            text: message.text.clone(),
            create_time: Some(now.into()),
        };
        store::note::insert(tx, &note, now).await?;
        let response = AddNoteResponse { note: Some(note) };
        pending.answer(tx, &response).await?;
        Ok(response)
    })?;
    Ok(Response::new(response))
}

/// ListNotes.
pub async fn list(
    review: &Review,
    request: Request<ListNotesRequest>,
) -> Result<Response<ListNotesResponse>, Status> {
    let message = request.into_inner();
    let binding = page::binding(&["ListNotes", &message.case_id]);
    let after: Option<String> = page::read(&message.page_token, &binding)?;
    let size = page::size(message.page_size, PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX);
    if store::case::get(&review.db, &message.case_id).await?.is_none() {
        return Err(case_not_found(&message.case_id).into());
    }
    let after = after.unwrap_or_default();
    let rows = store::note::page(&review.db, &message.case_id, &after, limit(size)).await?;
    let (notes, next_page_token) = page::cut(rows, size, &binding, |note| note.note_id.clone());
    Ok(Response::new(ListNotesResponse { notes, next_page_token }))
}
