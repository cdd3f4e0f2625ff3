//! Claiming: whose turn it is, who may, how many, and that nobody holds what another holds.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use contracts::review::v1::review_service_server::ReviewService as _;
use contracts::review::v1::{
    ClaimCaseRequest, ClaimNextCaseRequest, ReleaseCaseRequest, RenewLeaseRequest,
};
use contracts::review::v1::{EscalateCaseRequest, case};
use kit::Time;
use tokio::task::JoinSet;
use tonic::Code;

use crate::world::{LEASE, START, World, by, filed, no_violation, reason, token, withdrawn};

#[tokio::test]
async fn the_case_with_the_earliest_rank_is_next_across_queues() {
    for world in World::each().await {
        let first = world.open(1, "spam.link").await;
        let urgent = world.open(2, "spam.bots").await;
        let second = world.open(3, "hate.slur").await;
        let central = world.open(4, "child.safety").await;
        let claimed = |case: Result<contracts::review::v1::Case, _>| case.unwrap().case_id;
        // The exclusive queue is only looked into by name.
        assert_eq!(claimed(world.claim_next("ann", &[]).await), urgent);
        assert_eq!(claimed(world.claim_next("ben", &["central", "general"]).await), central);
        assert_eq!(claimed(world.claim_next("ann", &["general"]).await), second, "graver");
        assert_eq!(claimed(world.claim_next("ann", &[]).await), first);
        assert_eq!(reason(world.claim_next("ann", &[]).await), "NO_CASE_AVAILABLE");
        assert_eq!(reason(world.claim_next("ann", &["urgent"]).await), "NO_CASE_AVAILABLE");
    }
}

#[tokio::test]
async fn a_case_is_claimable_again_when_its_lease_has_expired() {
    for world in World::each().await {
        let case_id = world.open(1, "spam.link").await;
        let ann = world.claim_next("ann", &[]).await.unwrap();
        let lease = ann.lease.clone().unwrap();
        assert!(lease.reviewer_id.starts_with("rvw_"));
        assert_eq!(lease.fencing_token, 1);
        assert_eq!(lease.expire_time, Some(START.plus(LEASE).into()));

        world.clock.advance(LEASE - Duration::from_micros(1));
        assert_eq!(reason(world.claim_next("ben", &[]).await), "NO_CASE_AVAILABLE");
        assert_eq!(reason(world.claim("ben", &case_id).await), "CASE_LEASED");
        world.clock.advance(Duration::from_micros(1));
        assert!(world.get(&case_id).await.lease.is_none(), "it has ended");
        let ben = world.claim_next("ben", &[]).await.unwrap();
        assert_eq!((ben.case_id.clone(), token(&ben)), (case_id.clone(), 2));
        assert_ne!(ben.lease.unwrap().reviewer_id, lease.reviewer_id);
        assert_eq!(reason(world.release("ann", &ann).await), "LEASE_LOST");

        // By name too, and under a token that rises.
        world.clock.advance(LEASE);
        assert_eq!(token(&world.claim("ann", &case_id).await.unwrap()), 3);
    }
}

#[tokio::test]
async fn an_expired_case_has_its_turn_before_later_ones() {
    for world in World::each().await {
        let grave = world.open(1, "spam.bots").await;
        world.open(2, "spam.link").await;
        assert_eq!(world.claim_next("ann", &[]).await.unwrap().case_id, grave);
        world.clock.advance(LEASE);
        assert_eq!(world.claim_next("ben", &[]).await.unwrap().case_id, grave);
    }
}

#[tokio::test]
async fn a_repeated_claim_answers_the_same_case() {
    for world in World::each().await {
        world.open(1, "spam.link").await;
        world.open(2, "spam.link").await;
        let request = ClaimNextCaseRequest {
            request_id: world.ids.new_uuid(),
            queues: vec![],
            lease_seconds: 60,
        };
        let once = world.review.claim_next_case(by("ann", request.clone())).await.unwrap();
        let again = world.review.claim_next_case(by("ann", request.clone())).await.unwrap();
        assert_eq!(once.get_ref(), again.get_ref());
        let other = ClaimNextCaseRequest { lease_seconds: 61, ..request.clone() };
        let conflict = world.review.claim_next_case(by("ann", other)).await;
        assert_eq!(reason(conflict), "REQUEST_ID_CONFLICT");
        // Somebody else's request of the same id is another call.
        let ben = world.review.claim_next_case(by("ben", request)).await.unwrap();
        assert_ne!(ben.get_ref().case, once.get_ref().case);

        let case_id = once.into_inner().case.unwrap().case_id;
        let named =
            ClaimCaseRequest { request_id: world.ids.new_uuid(), case_id, lease_seconds: 0 };
        let once = world.review.claim_case(by("ann", named.clone())).await.unwrap();
        world.clock.advance(Duration::from_secs(5));
        let again = world.review.claim_case(by("ann", named)).await.unwrap();
        assert_eq!(once.get_ref(), again.get_ref());
    }
}

#[tokio::test]
async fn a_reviewer_holds_at_most_25_cases() {
    for world in World::each().await {
        let reports = (0..27).map(|n| filed(n, &format!("vid_{n}"), "spam.link")).collect();
        world.reported(reports).await;
        let mut held = Vec::new();
        for _ in 0..25 {
            held.push(world.claim_next("ann", &[]).await.unwrap());
        }
        let error = world.claim_next("ann", &[]).await.unwrap_err();
        assert_eq!(error.code(), Code::ResourceExhausted);
        assert_eq!(reason::<()>(Err(error)), "TOO_MANY_LEASES");
        let free = world.claim_next("ben", &[]).await.unwrap();
        world.release("ben", &free).await.unwrap();
        assert_eq!(reason(world.claim("ann", &free.case_id).await), "TOO_MANY_LEASES");
        assert!(world.get(&free.case_id).await.lease.is_none(), "nothing was written");
        // What one holds already may be prolonged.
        world.claim("ann", &held[0].case_id).await.unwrap();
        // Giving one back makes room, and so does the end of a lease.
        world.release("ann", &held[0]).await.unwrap();
        world.claim_next("ann", &[]).await.unwrap();
        world.clock.advance(LEASE);
        world.claim_next("ann", &[]).await.unwrap();
    }
}

#[tokio::test]
async fn sixteen_reviewers_never_hold_the_same_case() {
    for world in World::each().await {
        const CASES: u32 = 200;
        for chunk in (0..CASES).collect::<Vec<_>>().chunks(100) {
            let reports = chunk.iter().map(|n| filed(*n, &format!("vid_{n}"), "spam.link"));
            world.reported(reports.collect()).await;
        }
        let world = Arc::new(world);
        let mut tasks = JoinSet::new();
        for reviewer in 0..16 {
            let world = Arc::clone(&world);
            tasks.spawn(async move {
                let who = format!("reviewer {reviewer}");
                let mut held = Vec::new();
                // Each holds some to the end and decides some at once.
                loop {
                    match world.claim_next(&who, &[]).await {
                        Ok(case) if held.len() < 10 => held.push(case.case_id),
                        Ok(case) => {
                            world.decide(&who, &case, no_violation()).await.unwrap();
                        }
                        Err(error) => {
                            assert_eq!(reason::<()>(Err(error)), "NO_CASE_AVAILABLE");
                            return held;
                        }
                    }
                }
            });
        }
        let held: Vec<String> = tasks.join_all().await.into_iter().flatten().collect();
        assert_eq!(held.iter().collect::<HashSet<_>>().len(), held.len(), "held twice");
        let mut decided = HashMap::new();
        for event in world.events().await {
            if let contracts::review::v1::review_event::Event::CaseDecided(event) = event {
                *decided.entry(event.case_id).or_insert(0) += 1;
            }
        }
        assert!(decided.values().all(|times| *times == 1), "decided twice");
        assert_eq!(held.len() + decided.len(), CASES as usize, "every case had its turn");
        for case_id in &held {
            assert_eq!(token(&world.get(case_id).await), 1);
        }
    }
}

#[tokio::test]
async fn a_lease_can_be_prolonged_given_back_and_passed_on() {
    for world in World::each().await {
        let case_id = world.open(1, "spam.link").await;
        let case = world.claim("ann", &case_id).await.unwrap();
        let renew = |who: &'static str, fencing_token, lease_seconds| {
            let request = RenewLeaseRequest {
                request_id: world.ids.new_uuid(),
                case_id: case_id.clone(),
                fencing_token,
                lease_seconds,
            };
            world.review.renew_lease(by(who, request))
        };
        world.clock.advance(Duration::from_secs(100));
        let lease = renew("ann", 1, 3_600).await.unwrap().into_inner().lease.unwrap();
        let expires = Time::from_timestamp(&lease.expire_time.unwrap()).unwrap();
        assert_eq!(expires.since(START), Duration::from_secs(3_700));
        assert_eq!((lease.fencing_token, world.get(&case_id).await.etag), (1, case.etag.clone()));
        for (who, token) in [("ben", 1), ("ann", 2), ("stranger", 1)] {
            assert_eq!(reason(renew(who, token, 0).await), "LEASE_LOST", "{who}");
        }

        let escalate = EscalateCaseRequest {
            request_id: world.ids.new_uuid(),
            case_id: case_id.clone(),
            fencing_token: 1,
            queue: String::new(),
            reason: "needs somebody who reads Farsi".to_owned(),
        };
        let escalated = world.review.escalate_case(by("ann", escalate.clone())).await.unwrap();
        let escalated = escalated.into_inner().case.unwrap();
        assert_eq!((escalated.queue.as_str(), escalated.escalated), ("senior", true));
        assert!(escalated.lease.is_none() && escalated.etag != case.etag);
        let again = world.review.escalate_case(by("ann", escalate)).await.unwrap();
        assert_eq!(again.into_inner().case.unwrap(), escalated);
        assert_eq!(reason(renew("ann", 1, 0).await), "LEASE_LOST");
        // What is escalated is claimed like any other, and a senior escalates no further.
        let senior = world.claim_next("cid", &["senior"]).await.unwrap();
        assert_eq!((senior.case_id.clone(), token(&senior)), (case_id.clone(), 2));
        let released = world.release("cid", &senior).await.unwrap();
        assert_eq!((released.lease, released.state), (None, case::State::Open as i32));
    }
}

#[tokio::test]
async fn prolonging_and_giving_back_can_be_repeated() {
    for world in World::each().await {
        let case_id = world.open(1, "spam.link").await;
        world.claim("ann", &case_id).await.unwrap();
        let renew = RenewLeaseRequest {
            request_id: world.ids.new_uuid(),
            case_id: case_id.clone(),
            fencing_token: 1,
            lease_seconds: 600,
        };
        let release = ReleaseCaseRequest {
            request_id: world.ids.new_uuid(),
            case_id: case_id.clone(),
            fencing_token: 1,
        };
        let once = world.review.renew_lease(by("ann", renew.clone())).await.unwrap();
        world.clock.advance(Duration::from_secs(60));
        let again = world.review.renew_lease(by("ann", renew.clone())).await.unwrap();
        assert_eq!(once.get_ref(), again.get_ref());
        let other = RenewLeaseRequest { lease_seconds: 601, ..renew.clone() };
        let conflict = world.review.renew_lease(by("ann", other)).await;
        assert_eq!(reason(conflict), "REQUEST_ID_CONFLICT");
        // One id for two methods is a conflict too.
        let mixed = ReleaseCaseRequest { request_id: renew.request_id, ..release.clone() };
        let conflict = world.review.release_case(by("ann", mixed)).await;
        assert_eq!(reason(conflict), "REQUEST_ID_CONFLICT");

        let once = world.review.release_case(by("ann", release.clone())).await.unwrap();
        world.claim("ben", &case_id).await.unwrap();
        let again = world.review.release_case(by("ann", release.clone())).await.unwrap();
        assert_eq!(once.get_ref(), again.get_ref());
        assert!(world.get(&case_id).await.lease.is_some(), "a repetition changes nothing");
        let other = ReleaseCaseRequest { fencing_token: 2, ..release };
        let conflict = world.review.release_case(by("ann", other)).await;
        assert_eq!(reason(conflict), "REQUEST_ID_CONFLICT");
    }
}

#[tokio::test]
async fn a_case_without_reports_waits_only_for_its_holder() {
    for world in World::each().await {
        let [released, expired, decided] = [1, 2, 3];
        let mut held = Vec::new();
        for number in [released, expired, decided] {
            let case_id = world.open(number, "spam.link").await;
            held.push(world.claim("ann", &case_id).await.unwrap());
            world.reported(vec![withdrawn(number)]).await;
            let case = world.get(&case_id).await;
            assert_eq!((case.state, case.report_count), (case::State::Open as i32, 0));
        }
        let state = |case: contracts::review::v1::Case| case.state();
        let after = world.release("ann", &held[0]).await.unwrap();
        assert_eq!(state(after), case::State::Withdrawn);
        let seen = contracts::review::v1::Case {
            lease: held[2].lease.clone(),
            ..world.get(&held[2].case_id).await
        };
        let after = world.decide("ann", &seen, no_violation()).await.unwrap();
        assert_eq!(state(after), case::State::Decided);
        world.clock.advance(LEASE);
        assert_eq!(reason(world.claim("ben", &held[1].case_id).await), "CASE_NOT_OPEN");
        assert_eq!(reason(world.claim_next("ben", &[]).await), "NO_CASE_AVAILABLE");
        assert_eq!(review::sweep(&world.review, true).await.unwrap(), 1);
        assert_eq!(review::sweep(&world.review, true).await.unwrap(), 0);
        assert_eq!(state(world.get(&held[1].case_id).await), case::State::Withdrawn);
        let told = world.events().await;
        let told = told.iter().filter(|event| {
            matches!(event, contracts::review::v1::review_event::Event::CaseWithdrawn(_))
        });
        assert_eq!(told.count(), 2);
    }
}
