//! Checks: profiles, streams of them, names at a form, imitators of an identity. None keeps
//! anything.

use std::collections::BTreeMap;

use contracts::impersonation::v1::protected_identity::State;
use contracts::impersonation::v1::stream_checks_response::Result as Item;
use contracts::impersonation::v1::{
    CheckHandleRequest, CheckHandleResponse, CheckProfileRequest, CheckProfileResponse,
    FieldViolation, FindImitatorsRequest, FindImitatorsResponse, ItemError, Likeness, Profile,
    StreamChecksRequest, StreamChecksResponse,
};
use futures_util::stream::BoxStream;
use futures_util::{FutureExt as _, StreamExt as _, stream};
use kit::{Caller, Error, items};
use tonic::{Request, Response, Status, Streaming};
use tonic_types::StatusExt as _;

use super::identities::{ended, not_found};
use super::{Answer, Impersonation, Inner};
use crate::check::{Checker, Wanted};
use crate::identity::Identity;
use crate::judge;
use crate::profile::{self, Observed};
use crate::search::Search;
use crate::store::identities;

/// Likenesses in an answer unless asked otherwise.
const LIKENESSES_DEFAULT: usize = 5;
/// Likenesses in an answer at most.
const LIKENESSES_MAX: usize = 50;
/// Imitators in a stream unless asked otherwise.
const IMITATORS_DEFAULT: usize = 100;
/// Imitators in a stream at most.
const IMITATORS_MAX: usize = 10_000;

fn limit(asked: i32, default: usize, max: usize) -> usize {
    match usize::try_from(asked).unwrap_or(0) {
        0 => default,
        asked => asked.min(max),
    }
}

/// Checks what the rules of the contract let pass.
async fn check(
    checker: &Checker,
    request: CheckProfileRequest,
) -> Result<CheckProfileResponse, Status> {
    checker.memory.ready()?;
    let wanted = Wanted {
        limit: limit(request.limit, LIKENESSES_DEFAULT, LIKENESSES_MAX),
        min_probability: request.min_probability,
    };
    let unreadable = Error::invalid_argument("PICTURE_UNREADABLE");
    let given = request.profile.unwrap_or_default();
    let (profile, wrong) = checker.kept(given, "profile", unreadable).await?;
    wrong.if_any_invalid()?;
    let checked = if request.this_shard_only {
        checker.check_here(&profile, wanted).await
    } else {
        checker.check(&profile, wanted).await
    };
    Ok(checked?)
}

/// See the contract.
pub(super) async fn check_profile(
    inner: &Inner,
    request: Request<CheckProfileRequest>,
) -> Answer<CheckProfileResponse> {
    check(&inner.checker, request.into_inner()).await.map(Response::new)
}

/// See the contract.
pub(super) async fn stream_checks(
    service: &Impersonation,
    request: Request<Streaming<StreamChecksRequest>>,
) -> Answer<BoxStream<'static, Result<StreamChecksResponse, Status>>> {
    let service = service.clone();
    let stopped = service.0.stopped();
    let handle = move |item: StreamChecksRequest| {
        let service = service.clone();
        async move {
            let request = item.check.unwrap_or_default();
            service.0.rules.check(&request, service.0.clock.now())?;
            check(&service.0.checker, request).await
        }
    };
    let answers = items::answers(request.into_inner(), stopped, handle, |index, result| {
        let result = match result {
            Ok(checked) => Item::Check(checked),
            Err(status) => Item::Error(item_error(&status)),
        };
        StreamChecksResponse { index, result: Some(result) }
    });
    Ok(Response::new(answers.boxed()))
}

/// What a unary call would have been told, as a message.
fn item_error(status: &Status) -> ItemError {
    let details = status.get_error_details();
    let wrong = details.bad_request().map(|bad| bad.field_violations.as_slice());
    let named = wrong.unwrap_or_default().iter().map(|violation| FieldViolation {
        field: violation.field.clone(),
        description: violation.description.clone(),
    });
    ItemError {
        code: status.code().into(),
        reason: details.error_info().map(|info| info.reason.clone()).unwrap_or_default(),
        message: status.message().to_owned(),
        field_violations: named.collect(),
    }
}

/// See the contract.
pub(super) async fn check_handle(
    inner: &Inner,
    request: Request<CheckHandleRequest>,
) -> Answer<CheckHandleResponse> {
    let request = request.into_inner();
    if request.handle.trim().is_empty() && request.display_name.trim().is_empty() {
        return Err(Error::invalid("handle", "must be given, or a display name").into());
    }
    let given = Profile {
        account_id: request.account_id,
        handle: request.handle,
        display_name: request.display_name,
        avatars: request.avatar.into_iter().collect(),
        market: request.market,
        ..Profile::default()
    };
    inner.checker.memory.ready()?;
    let (profile, wrong) = inner.checker.kept(given, "", Error::invalid_request()).await?;
    if wrong.invalid_fields() > 0 {
        let unreadable = Error::invalid_argument("PICTURE_UNREADABLE");
        return Err(unreadable.and_invalid("avatar.image", "must be a readable image").into());
    }
    let wanted = Wanted { limit: LIKENESSES_DEFAULT, min_probability: 0.0 };
    let checked = inner.checker.check(&profile, wanted).await?;
    let ids = checked.likenesses.iter().map(|likeness| likeness.identity_id.as_str());
    let rows = match checked.likenesses.is_empty() {
        true => Vec::new(),
        false => identities::some(&inner.db, ids).await.map_err(Error::from)?,
    };
    let by_id: BTreeMap<&str, &Identity> =
        rows.iter().map(|identity| (identity.identity_id.as_str(), identity)).collect();
    let with = |likeness: Likeness| {
        let identity = *by_id.get(likeness.identity_id.as_str())?;
        Some((likeness, identity))
    };
    let found: Vec<(Likeness, &Identity)> =
        checked.likenesses.into_iter().filter_map(with).collect();
    let (outcome, reason) = judge::handle(&found);
    Ok(Response::new(CheckHandleResponse { outcome: outcome.into(), reason: reason.into() }))
}

/// See the contract.
pub(super) async fn find_imitators(
    service: &Impersonation,
    request: Request<FindImitatorsRequest>,
) -> Answer<BoxStream<'static, Result<FindImitatorsResponse, Status>>> {
    let _caller = Caller::of(&request);
    let request = request.into_inner();
    let inner = &service.0;
    inner.checker.memory.ready()?;
    let identity = identities::get(&inner.db, &request.identity_id).await.map_err(Error::from)?;
    let identity = identity.ok_or_else(|| not_found(&request.identity_id))?;
    if identity.state != State::Active {
        return Err(ended(&identity).into());
    }
    let limit = limit(request.limit, IMITATORS_DEFAULT, IMITATORS_MAX);
    let search =
        Search::new(inner.checker.memory.engine(), vec![identity], request.min_probability);
    let (checker, stopped) = (inner.checker.clone(), inner.stopped());
    let found = async move {
        tokio::select! {
            found = best(search, &checker, limit) => found.map_err(Status::from),
            () = stopped => {
                let what = "the service is stopping: ask again";
                Err(Error::unavailable("SHUTTING_DOWN").message(what).into())
            }
        }
    };
    let answers = found.into_stream().flat_map(|found| match found {
        Ok(found) => stream::iter(found).map(Ok).boxed(),
        Err(status) => stream::once(async { Err(status) }).boxed(),
    });
    Ok(Response::new(answers.boxed()))
}

/// The most probable of a search, best first.
async fn best(
    mut search: Search,
    checker: &Checker,
    limit: usize,
) -> Result<Vec<FindImitatorsResponse>, Error> {
    let mut found: Vec<(Observed, Likeness)> = Vec::new();
    while let Some(page) = search.next(checker).await? {
        found.extend(page.into_iter().map(|(observed, _, likeness)| (observed, likeness)));
        if found.len() > 2 * limit {
            keep_best(&mut found, limit);
        }
    }
    keep_best(&mut found, limit);
    let render = |(observed, likeness): (Observed, Likeness)| FindImitatorsResponse {
        profile: Some(profile::snapshot(&observed.profile)),
        likeness: Some(likeness),
    };
    Ok(found.into_iter().map(render).collect())
}

fn keep_best(found: &mut Vec<(Observed, Likeness)>, limit: usize) {
    found.sort_by(|(a, like_a), (b, like_b)| {
        let by_probability = like_b.probability.total_cmp(&like_a.probability);
        by_probability.then_with(|| a.number.cmp(&b.number))
    });
    found.truncate(limit);
}
