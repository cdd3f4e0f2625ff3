//! Taking reports: receipts, repeats, conflicts, races, refusals.

use contracts::reports::v1::FileReportResponse;
use contracts::reports::v1::report::{Outcome, State};
use contracts::reports::v1::report_event::Event;
use contracts::types::v1::{Source, SubjectType};
use futures_util::future::join_all;
use kit::auth::Scopes;
use kit::group_commit::Batch as _;
use kit::idempotency::Call;
use kit::{Error, Ids, tx};
use reports::filing::{Filing, Job};
use tonic::{Code, Status};

use crate::world::{
    PERSON, START, Service, decoded, each, file, get, notice, numbered_id, pack, reason,
    request_id, wrong_fields,
};

#[tokio::test]
async fn a_receipt_means_that_report_and_event_are_stored() {
    for world in each().await {
        let mut client = world.person("p1");
        let given = notice(request_id(), "v1");
        let receipt = client.file_report(given.clone()).await.unwrap().into_inner().receipt;
        let receipt = receipt.unwrap();
        assert!(kit::id::is_id("rep", &receipt.report_id));
        assert_eq!(receipt.create_time, Some(START.into()));

        let report = get(&mut client, &receipt.report_id).await.unwrap();
        assert_eq!((report.state(), report.outcome()), (State::Filed, Outcome::Unspecified));
        assert_eq!((report.source(), report.pack_version), (Source::User, 7));
        assert_eq!(
            (report.subject.as_ref(), &report.reason),
            (given.subject.as_ref(), &given.reason)
        );
        assert_eq!(report.explanation, given.explanation);
        assert_eq!(report.location_url, given.location_url);
        assert_eq!(report.evidence_urls, given.evidence_urls);
        assert_eq!(report.snapshot, given.snapshot);
        assert_eq!((report.region.as_str(), report.good_faith), ("DE", true));
        assert_eq!(
            (report.create_time, report.update_time),
            (receipt.create_time, receipt.create_time)
        );
        assert!(report.case_id.is_empty() && !report.outcome_corrected);

        let events = world.events().await;
        let told = decoded(&events[0]);
        assert_eq!((events.len(), events[0].kind.as_str()), (1, "report_filed"));
        assert_eq!((&told.event_id, told.time), (&events[0].id, receipt.create_time));
        let Some(Event::ReportFiled(filed)) = told.event else { panic!("{told:?}") };
        assert_eq!(filed.report, Some(report));
    }
}

#[tokio::test]
async fn a_repeat_is_answered_the_same_and_another_payload_is_a_conflict() {
    for world in each().await {
        let mut client = world.person("p1");
        let request = notice(request_id(), "v1");
        let first = client.file_report(request.clone()).await.unwrap().into_inner();
        world.service.clock.advance(std::time::Duration::from_secs(60));
        let mut again = request.clone();
        again.request_id.make_ascii_uppercase();
        let mut repeats = vec![request.clone(), request.clone()];
        // The same UUID, however it is written, is the same id; the payload then differs.
        let upper = client.file_report(again).await;
        assert_eq!(reason(&upper.unwrap_err()), "REQUEST_ID_CONFLICT");
        for repeat in repeats.drain(..) {
            assert_eq!(client.file_report(repeat).await.unwrap().into_inner(), first);
        }
        let mut other = request.clone();
        other.explanation.push('!');
        let status = client.file_report(other).await.unwrap_err();
        assert_eq!(
            (status.code(), reason(&status).as_str()),
            (Code::AlreadyExists, "REQUEST_ID_CONFLICT")
        );
        // Another caller's ids are another matter.
        let theirs = world.person("p2").file_report(request).await.unwrap().into_inner();
        assert_ne!(theirs, first);
        assert_eq!(world.counts().await, (2, 2, 2));
    }
}

#[tokio::test]
async fn a_repeat_is_answered_when_the_pack_has_dropped_the_reason_since() {
    for world in each().await {
        let request = notice(request_id(), "v1");
        let first = world.person("p1").file_report(request.clone()).await.unwrap().into_inner();
        let later = Service::on(&world.db, pack(&["fraud"], 8)).await;
        let mut client = later.client("p1", PERSON);
        assert_eq!(client.file_report(request.clone()).await.unwrap().into_inner(), first);
        let mut other = request.clone();
        other.explanation.clear();
        let status = client.file_report(other).await.unwrap_err();
        assert_eq!(reason(&status), "REQUEST_ID_CONFLICT");
        let fresh = notice(request_id(), "v1");
        assert_eq!(reason(&client.file_report(fresh).await.unwrap_err()), "REASON_UNKNOWN");
    }
}

/// Jobs of one batch: number of the request id, and the video.
async fn batch(
    world: &crate::world::World,
    jobs: &[(usize, &str)],
) -> Vec<Result<FileReportResponse, Status>> {
    let (pack, ids) = (pack(&["spam"], 7), Ids::system());
    let jobs: Vec<Job> = jobs
        .iter()
        .map(|(number, video)| {
            let notice = notice(numbered_id(*number), video);
            let call = Call::new("p1", &notice.request_id, "FileReport", &notice, START);
            Job::new(call, notice, ("p1", Source::User), &pack, &ids, START)
        })
        .collect();
    let done: Result<_, Error> =
        tx!(world.db, "test_batch", |tx| { Filing.apply(tx, &jobs).await });
    done.unwrap()
}

#[tokio::test]
async fn repeats_and_conflicts_within_one_batch_are_as_if_they_came_one_by_one() {
    for world in each().await {
        let first = batch(&world, &[(0, "v0")]).await.remove(0).unwrap();
        let jobs = [(1, "v1"), (2, "v2"), (1, "v1"), (2, "v9"), (0, "v0"), (0, "v9"), (3, "v3")];
        let results = batch(&world, &jobs).await;
        let receipt = |at: usize| results[at].as_ref().unwrap();
        assert_eq!(receipt(2), receipt(0));
        assert_eq!(receipt(4), &first);
        assert_ne!(receipt(6), receipt(1));
        for at in [3, 5] {
            assert_eq!(reason(results[at].as_ref().unwrap_err()), "REQUEST_ID_CONFLICT");
        }
        assert_eq!(world.counts().await, (4, 4, 4));
        // The same batch again: nothing new.
        let again = batch(&world, &jobs).await;
        for at in [0, 1, 2, 4, 6] {
            assert_eq!(again[at].as_ref().unwrap(), receipt(at));
        }
        assert_eq!(world.counts().await, (4, 4, 4));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn racing_calls_with_the_same_ids_file_each_report_once() {
    const TASKS: usize = 8;
    const IDS: usize = 30;
    const ROUNDS: usize = 5;
    for world in each().await {
        // A second replica takes half of the calls.
        let replica = Service::on(&world.db.another().await, pack(&["spam"], 7)).await;
        for round in 0..ROUNDS {
            let tasks = (0..TASKS).map(|task| {
                let service = if task % 2 == 0 { &world.service } else { &replica };
                let client = service.client("p1", PERSON);
                tokio::spawn(async move {
                    let calls = (0..IDS).map(|number| {
                        let mut client = client.clone();
                        // Each task in another order.
                        let id = round * IDS + (number * 7 + task * 11) % IDS;
                        let video = format!("v{id}");
                        async move {
                            let request = notice(numbered_id(id), &video);
                            let response = client.file_report(request).await.unwrap();
                            (id, response.into_inner().receipt.unwrap().report_id)
                        }
                    });
                    join_all(calls).await
                })
            });
            let mut answers: Vec<(usize, String)> = Vec::new();
            for answer in join_all(tasks).await {
                answers.extend(answer.unwrap());
            }
            answers.sort_unstable();
            answers.dedup();
            assert_eq!(answers.len(), IDS, "one receipt for each id, whoever asks");
            let done = (round + 1) * IDS;
            let count = i64::try_from(done).unwrap();
            assert_eq!(world.counts().await, (count, done, count));
        }
    }
}

#[tokio::test]
async fn the_source_comes_from_the_credentials() {
    for world in each().await {
        for (scopes, source) in [
            (Scopes::parse(PERSON), Source::User),
            (Scopes::parse("reports.file reports.detector"), Source::Detector),
            (Scopes::parse("reports.file reports.trusted_flagger"), Source::TrustedFlagger),
            (Scopes::All, Source::User),
        ] {
            let mut client = world.service.client_with("p1", scopes);
            let receipt = file(&mut client, "v1").await;
            assert_eq!(get(&mut client, &receipt.report_id).await.unwrap().source(), source);
        }
    }
}

#[tokio::test]
async fn a_notice_that_the_pack_refuses_leaves_no_trace() {
    for world in each().await {
        let mut client = world.person("p1");
        let mut unknown = notice(request_id(), "v1");
        unknown.reason = "rude".to_owned();
        let mut bare = notice(request_id(), "v1");
        bare.reason = "fraud".to_owned();
        bare.explanation.clear();
        bare.evidence_urls.clear();
        let mut account = notice(request_id(), "a1");
        account.subject.as_mut().unwrap().r#type = SubjectType::Account.into();
        for (wrong, why, fields) in [
            (unknown, "REASON_UNKNOWN", vec!["reason"]),
            (bare, "REASON_NOT_APPLICABLE", vec!["subject.type", "explanation"]),
            (account, "INVALID_REQUEST", vec!["subject.owner_account_id"]),
        ] {
            let status = client.file_report(wrong).await.unwrap_err();
            assert_eq!((status.code(), reason(&status).as_str()), (Code::InvalidArgument, why));
            assert_eq!(wrong_fields(&status), fields);
        }
        assert_eq!(world.counts().await, (0, 0, 0));
    }
}

#[tokio::test]
async fn what_was_accepted_is_done_before_the_service_ends() {
    for world in each().await {
        let mut client = world.person("p1");
        let calls: Vec<_> = (0..50)
            .map(|number| {
                let mut client = client.clone();
                tokio::spawn(
                    async move { client.file_report(notice(numbered_id(number), "v1")).await },
                )
            })
            .collect();
        tokio::task::yield_now().await;
        let crate::world::World { db, service } = world;
        service.stop().await;
        let mut taken = 0;
        for call in calls {
            match call.await.unwrap() {
                Ok(_) => taken += 1,
                Err(status) => assert_eq!(status.code(), Code::Unavailable),
            }
        }
        let late = client.file_report(notice(request_id(), "v1")).await.unwrap_err();
        assert_eq!(late.code(), Code::Unavailable);
        let events = kit::events::page(&db, 0, i64::MAX).await.unwrap();
        assert_eq!(events.len(), taken);
    }
}
