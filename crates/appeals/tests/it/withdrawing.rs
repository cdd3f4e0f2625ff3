//! Taking an appeal back.

use contracts::appeals::v1::WithdrawAppealRequest;
use contracts::appeals::v1::appeal::State;
use futures_util::future::join_all;
use tonic::Code;

use crate::following::{heard, opened};
use crate::world::{PERSON, STAFF, each, file, get, meta, reason, request_id, statement, withdraw};

#[tokio::test]
async fn an_appellant_withdraws_an_appeal_until_it_is_decided() {
    for world in each().await {
        let mut client = world.creator();
        let mut appeals = Vec::new();
        for decision_id in ["dec_1", "dec_2", "dec_3"] {
            world.account_health.put(statement(decision_id));
            appeals.push(file(&mut client, decision_id).await.unwrap().appeal_id);
        }
        world.review(&[opened(&appeals[1]), opened(&appeals[2]), heard(&appeals[2])]).await;
        for appeal_id in &appeals[..2] {
            let appeal = withdraw(&mut client, appeal_id).await.unwrap();
            assert_eq!(appeal.state(), State::Withdrawn);
            assert_eq!(get(&mut client, appeal_id).await.unwrap(), appeal);
        }
        for (appeal_id, state) in appeals.iter().zip(["WITHDRAWN", "WITHDRAWN", "DECIDED"]) {
            let status = withdraw(&mut client, appeal_id).await.unwrap_err();
            assert_eq!(status.code(), Code::FailedPrecondition);
            assert_eq!(reason(&status), "APPEAL_NOT_OPEN");
            assert_eq!(meta(&status, "state"), format!("STATE_{state}"));
        }
    }
}

#[tokio::test]
async fn nobody_else_withdraws_it() {
    for world in each().await {
        world.account_health.put(statement("dec_1"));
        let appeal_id = file(&mut world.creator(), "dec_1").await.unwrap().appeal_id;
        for mut client in [world.client("creator-2", PERSON), world.client("staff", STAFF)] {
            let status = withdraw(&mut client, &appeal_id).await.unwrap_err();
            assert_eq!(reason(&status), "APPEAL_NOT_FOUND");
        }
    }
}

#[tokio::test]
async fn a_repeat_is_answered_the_same() {
    for world in each().await {
        let mut client = world.creator();
        let mut ids = Vec::new();
        for decision_id in ["dec_1", "dec_2"] {
            world.account_health.put(statement(decision_id));
            ids.push(file(&mut client, decision_id).await.unwrap().appeal_id);
        }
        let request = WithdrawAppealRequest { request_id: request_id(), appeal_id: ids[0].clone() };
        let first = client.withdraw_appeal(request.clone()).await.unwrap().into_inner();
        assert_eq!(client.withdraw_appeal(request.clone()).await.unwrap().into_inner(), first);
        let other = WithdrawAppealRequest { appeal_id: ids[1].clone(), ..request };
        let status = client.withdraw_appeal(other).await.unwrap_err();
        assert_eq!(reason(&status), "REQUEST_ID_CONFLICT");
        assert_eq!(world.events().await.len(), 3);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_withdrawal_racing_its_hearing_leaves_it_decided() {
    for world in each().await {
        for round in 0..8 {
            let decision_id = format!("dec_{round}");
            world.account_health.put(statement(&decision_id));
            let mut client = world.creator();
            let appeal_id = file(&mut client, &decision_id).await.unwrap().appeal_id;
            let racing = (0..4).map(|_| {
                let (mut client, appeal_id) = (client.clone(), appeal_id.clone());
                tokio::spawn(async move { withdraw(&mut client, &appeal_id).await.is_ok() })
            });
            let told = [opened(&appeal_id), heard(&appeal_id)];
            let (won, ()) = tokio::join!(join_all(racing), world.review(&told));
            assert!(won.into_iter().filter(|won| *won.as_ref().unwrap()).count() <= 1);
            let appeal = get(&mut client, &appeal_id).await.unwrap();
            assert_eq!(appeal.state(), State::Decided, "the hearing prevails");
        }
    }
}
