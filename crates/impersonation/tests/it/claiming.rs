//! Claims: taken durably, nobody else's business, their proofs encrypted and dropped.

use std::time::Duration;

use contracts::impersonation::v1::appeal_route::Side;
use contracts::impersonation::v1::claim::{Outcome, Role, State};
use contracts::impersonation::v1::{
    Claim, FileClaimRequest, FindDecidedClaimRequest, GetClaimProofRequest, GetClaimRequest,
    GetClaimantStandingRequest, ListClaimsRequest, Proof, WithdrawClaimRequest,
};
use impersonation::follow::{Apply, Ruling, Step};
use kit::db::Sql;
use kit::{Error, Ids, args, tx};
use prost::Message as _;
use tonic::Status;

use crate::world::{Client, World, each, enrol, events, jane, reason, request_id, wrong_fields};

static PROOFS: Sql = Sql::new("SELECT sealed FROM claim_proofs");
static DROPPED: Sql = Sql::new("SELECT proof_drop_time FROM claims WHERE claim_id = $1");
static LOOKS: Sql = Sql::new("SELECT subject FROM proof_looks WHERE claim_id = $1");

pub fn claim_of(imitator: &str) -> FileClaimRequest {
    FileClaimRequest {
        request_id: request_id(),
        role: Role::PersonImitated.into(),
        account_id: "star".to_owned(),
        imitator_account_id: imitator.to_owned(),
        explanation: "that is me".to_owned(),
        good_faith: true,
        ..FileClaimRequest::default()
    }
}

pub async fn file(client: &mut Client, request: FileClaimRequest) -> Result<Claim, Status> {
    Ok(client.file_claim(request).await?.into_inner().claim.unwrap())
}

async fn get(client: &mut Client, claim_id: &str) -> Result<Claim, Status> {
    let request = GetClaimRequest { claim_id: claim_id.to_owned() };
    Ok(client.get_claim(request).await?.into_inner().claim.unwrap())
}

/// Lets review's doings take effect, as following it does.
pub async fn reviewed(world: &World, steps: &[Step]) {
    let (ids, now) = (Ids::system(), world.service.clock.now());
    let apply = Apply { ids: &ids, now };
    tx!(world.db, "test_review", |tx| -> Result<(), Error> {
        for step in steps {
            apply.step(tx, step).await?;
        }
        Ok(())
    })
    .unwrap();
}

pub fn ruling(decision_id: &str, imitation: bool) -> Ruling {
    Ruling {
        decision_id: decision_id.to_owned(),
        corrects: String::new(),
        imitation,
        unfounded: false,
        pack_version: 7,
        time: None,
    }
}

fn taken(claim: &Claim, case_id: &str) -> Step {
    Step::ClaimTaken(claim.claim_id.clone(), case_id.to_owned())
}

fn decided(case_id: &str, ruling: Ruling) -> Step {
    Step::Decided { case_id: case_id.to_owned(), ruling }
}

fn proven(imitator: &str) -> FileClaimRequest {
    FileClaimRequest {
        role: Role::Agent.into(),
        proof: Some(Proof {
            document: b"power of attorney".to_vec(),
            media_type: "application/pdf".to_owned(),
        }),
        ..claim_of(imitator)
    }
}

#[tokio::test]
async fn a_claim_is_nobody_elses_and_says_nothing_of_who_claims() {
    for world in each().await {
        let mut star = world.service.person("star");
        let request = claim_of("fake");
        let claim = file(&mut star, request.clone()).await.unwrap();
        assert_eq!((claim.state(), claim.proof_kept), (State::Filed, false));
        assert_eq!(file(&mut star, request.clone()).await.unwrap(), claim, "a replay");
        let other = FileClaimRequest { explanation: "other".to_owned(), ..request };
        let conflict = file(&mut star, other).await.unwrap_err();
        assert_eq!(reason(&conflict), "REQUEST_ID_CONFLICT");

        let mut fan = world.service.person("fan");
        assert_eq!(get(&mut star, &claim.claim_id).await.unwrap(), claim);
        let foreign = get(&mut fan, &claim.claim_id).await.unwrap_err();
        assert_eq!(reason(&foreign), "CLAIM_NOT_FOUND");
        let withdraw =
            WithdrawClaimRequest { request_id: request_id(), claim_id: claim.claim_id.clone() };
        let foreign = fan.withdraw_claim(withdraw.clone()).await.unwrap_err();
        assert_eq!(reason(&foreign), "CLAIM_NOT_FOUND");
        let all = ListClaimsRequest { all_claimants: true, ..ListClaimsRequest::default() };
        let denied = fan.list_claims(all.clone()).await.unwrap_err();
        assert_eq!(reason(&denied), "PERMISSION_DENIED");
        let about = ListClaimsRequest {
            imitator_account_id: "fake".to_owned(),
            ..ListClaimsRequest::default()
        };
        assert_eq!(reason(&fan.list_claims(about.clone()).await.unwrap_err()), "PERMISSION_DENIED");
        let mut staff = world.service.staff();
        for wanted in [all, about] {
            let found = staff.list_claims(wanted).await.unwrap().into_inner().claims;
            assert_eq!(found, std::slice::from_ref(&claim));
        }
        let own = ListClaimsRequest::default();
        assert!(fan.list_claims(own.clone()).await.unwrap().into_inner().claims.is_empty());
        assert_eq!(star.list_claims(own).await.unwrap().into_inner().claims.len(), 1);

        star.withdraw_claim(withdraw).await.unwrap();
        let again = WithdrawClaimRequest { request_id: request_id(), claim_id: claim.claim_id };
        assert_eq!(reason(&star.withdraw_claim(again).await.unwrap_err()), "CLAIM_NOT_OPEN");
        let told: Vec<u8> =
            events(&world.db).await.iter().flat_map(|event| event.encode_to_vec()).collect();
        let told = String::from_utf8_lossy(&told);
        assert!(told.contains("fake") && told.contains("clm_"), "{told}");
        // The account that is imitated is part of the claim; whoever claims is not.
        let agent = file(&mut world.service.person("agent-7"), proven("fake")).await.unwrap();
        assert!(!format!("{agent:?}{:?}", events(&world.db).await).contains("agent-7"));
    }
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_and_pages_are_whole() {
    for world in each().await {
        let identity = enrol(&mut world.service.staff(), jane()).await;
        let mut star = world.service.person("star");
        let nobody = FileClaimRequest { account_id: String::new(), ..claim_of("fake") };
        assert_eq!(wrong_fields(&file(&mut star, nobody).await.unwrap_err()), ["identity_id"]);
        let own = FileClaimRequest {
            identity_id: identity.identity_id.clone(),
            ..claim_of("account-jane")
        };
        let refused = file(&mut star, own).await.unwrap_err();
        assert_eq!(wrong_fields(&refused), ["imitator_account_id"]);
        let unknown =
            FileClaimRequest { identity_id: "idn_nowhere".to_owned(), ..claim_of("fake") };
        let refused = file(&mut star, unknown).await.unwrap_err();
        assert_eq!(reason(&refused), "IDENTITY_NOT_FOUND");
        let agent = FileClaimRequest { role: Role::Agent.into(), ..claim_of("fake") };
        assert_eq!(reason(&file(&mut star, agent).await.unwrap_err()), "PROOF_REQUIRED");
        let named = FileClaimRequest {
            identity_id: identity.identity_id.clone(),
            account_id: String::new(),
            ..claim_of("fake")
        };
        let mut owner = world.service.person("account-jane");
        file(&mut owner, named).await.unwrap();
        for number in 0..5 {
            file(&mut star, claim_of(&format!("fake-{number}"))).await.unwrap();
        }
        let mut seen = Vec::new();
        let mut page_token = String::new();
        loop {
            let request =
                ListClaimsRequest { page_size: 2, page_token, ..ListClaimsRequest::default() };
            let page = star.list_claims(request).await.unwrap().into_inner();
            seen.extend(page.claims.into_iter().map(|claim| claim.imitator_account_id));
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
        assert_eq!(seen, ["fake-4", "fake-3", "fake-2", "fake-1", "fake-0"]);
    }
}

#[tokio::test]
async fn a_proof_is_encrypted_and_gone_after_the_decision() {
    for world in each().await {
        let mut agent = world.service.person("agent");
        let mut staff = world.service.staff();
        let claim = file(&mut agent, proven("fake")).await.unwrap();
        assert!(claim.proof_kept);
        let kept: Vec<(Vec<u8>,)> = world.db.read().fetch_all(&PROOFS, args![]).await.unwrap();
        assert_eq!(kept.len(), 1);
        assert!(!kept[0].0.windows(5).any(|bytes| bytes == b"power"), "in the clear");
        let look = || GetClaimProofRequest { claim_id: claim.claim_id.clone() };
        let shown = staff.get_claim_proof(look()).await.unwrap().into_inner().proof.unwrap();
        assert_eq!(shown.document, b"power of attorney");
        let looks: Vec<(String,)> =
            world.db.read().fetch_all(&LOOKS, args![&claim.claim_id]).await.unwrap();
        assert_eq!(looks, [("staff".to_owned(),)]);

        reviewed(&world, &[taken(&claim, "case_1")]).await;
        let steps = [decided("case_1", ruling("dec_1", true))];
        reviewed(&world, &steps).await;
        let count = events(&world.db).await.len();
        reviewed(&world, &steps).await;
        assert_eq!(events(&world.db).await.len(), count, "told twice");
        let claim = get(&mut agent, &claim.claim_id).await.unwrap();
        assert_eq!((claim.state(), claim.outcome()), (State::Decided, Outcome::Imitation));
        assert!(!claim.proof_kept && claim.appeal_route.is_some());
        assert_eq!(reason(&staff.get_claim_proof(look()).await.unwrap_err()), "PROOF_NOT_KEPT");
        let kept: Vec<(Vec<u8>,)> = world.db.read().fetch_all(&PROOFS, args![]).await.unwrap();
        assert!(kept.is_empty());
        let dropped: (i64,) =
            world.db.read().fetch_one(&DROPPED, args![&claim.claim_id]).await.unwrap();
        assert_eq!(dropped.0, world.service.clock.now().micros());

        let corrected = Step::Corrected {
            case_id: "case_1".to_owned(),
            ruling: Ruling { corrects: "dec_1".to_owned(), ..ruling("dec_2", false) },
        };
        reviewed(&world, &[corrected]).await;
        let claim = get(&mut agent, &claim.claim_id).await.unwrap();
        assert_eq!((claim.outcome(), claim.outcome_corrected), (Outcome::NoImitation, true));
        assert_eq!(claim.appeal_route.unwrap().decision_id, "dec_2");
    }
}

#[tokio::test]
async fn who_claims_without_ground_is_warned_and_then_suspended_for_a_time() {
    for world in each().await {
        let mut star = world.service.person("star");
        let mut staff = world.service.staff();
        for number in 0..4 {
            world.service.clock.advance(Duration::from_secs(60));
            let claim = file(&mut star, claim_of(&format!("fake-{number}"))).await.unwrap();
            let case = format!("case_{number}");
            let unfounded = Ruling { unfounded: true, ..ruling("dec_1", false) };
            reviewed(&world, &[taken(&claim, &case), decided(&case, unfounded)]).await;
            let own = GetClaimantStandingRequest::default();
            let standing = star.get_claimant_standing(own).await.unwrap().into_inner();
            let standing = standing.standing.unwrap();
            assert_eq!(standing.warn_time.is_some(), number >= 1, "{number}");
            assert_eq!(standing.suspend_end_time.is_some(), number >= 3, "{number}");
            // Staff see it by the claim, without learning who claims; others do not.
            let by_claim = GetClaimantStandingRequest { claim_id: claim.claim_id };
            let shown = staff.get_claimant_standing(by_claim.clone()).await.unwrap();
            assert_eq!(shown.into_inner().standing.unwrap(), standing);
            let denied = star.get_claimant_standing(by_claim).await.unwrap_err();
            assert_eq!(reason(&denied), "PERMISSION_DENIED");
        }
        let refused = file(&mut star, claim_of("fake-9")).await.unwrap_err();
        assert_eq!(reason(&refused), "CLAIMANT_SUSPENDED");
        // Another's claims are taken, and in time theirs are again.
        let mut other = world.service.person("other");
        let mine = FileClaimRequest { account_id: "other".to_owned(), ..claim_of("fake-9") };
        file(&mut other, mine).await.unwrap();
        world.service.clock.advance(impersonation::claimant::SUSPENSION);
        file(&mut star, claim_of("fake-9")).await.unwrap();
    }
}

#[tokio::test]
async fn a_rejected_claim_is_found_for_its_claimant_only_and_corrected_to_and_fro() {
    for world in each().await {
        let mut star = world.service.person("star");
        let mut staff = world.service.staff();
        let claim = file(&mut star, claim_of("fake")).await.unwrap();
        let asked = |decision_id: &str, claimant: &str| FindDecidedClaimRequest {
            decision_id: decision_id.to_owned(),
            claimant: claimant.to_owned(),
        };
        let rejection = [taken(&claim, "case_1"), decided("case_1", ruling("dec_1", false))];
        reviewed(&world, &rejection).await;
        let found = staff.find_decided_claim(asked("dec_1", "star")).await.unwrap().into_inner();
        let found = found.claim.unwrap();
        assert_eq!(found, get(&mut star, &claim.claim_id).await.unwrap());
        let route = found.appeal_route.unwrap();
        assert_eq!(route.side(), Side::Claimant);
        let end = world.service.clock.now().plus(impersonation::claim::APPEAL_WINDOW);
        assert_eq!(route.appeal_end_time, Some(end.into()));
        for (decision_id, claimant) in [("dec_1", "fan"), ("dec_2", "star")] {
            let none = staff.find_decided_claim(asked(decision_id, claimant)).await.unwrap_err();
            assert_eq!(reason(&none), "CLAIM_NOT_FOUND");
        }

        // Of two appeals against the rejection the second is heard when it fell already.
        let corrected = |corrects: &str, decision_id: &str, imitation| Step::Corrected {
            case_id: "case_1".to_owned(),
            ruling: Ruling { corrects: corrects.to_owned(), ..ruling(decision_id, imitation) },
        };
        for (step, outcome, decision_id) in [
            (corrected("dec_1", "dec_2", true), Outcome::Imitation, "dec_2"),
            (corrected("dec_1", "dec_3", false), Outcome::Imitation, "dec_2"),
            (corrected("dec_2", "dec_4", false), Outcome::NoImitation, "dec_4"),
        ] {
            reviewed(&world, &[step]).await;
            let claim = get(&mut star, &claim.claim_id).await.unwrap();
            assert_eq!((claim.outcome(), claim.outcome_corrected), (outcome, true));
            assert_eq!(claim.appeal_route.unwrap().decision_id, decision_id);
        }
    }
}
