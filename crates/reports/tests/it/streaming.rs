//! Reports in bulk: each item answered, in order.

use contracts::reports::v1::StreamReportsRequest;
use contracts::reports::v1::stream_reports_response::Result as Answer;
use futures_util::{StreamExt as _, stream};
use tonic::Code;

use crate::world::{each, notice, numbered_id};

#[tokio::test]
async fn each_item_is_answered_in_order_and_a_wrong_one_holds_up_nothing() {
    const ITEMS: usize = 1_000;
    for world in each().await {
        let mut client = world.service.client("model-1", "reports.file reports.detector");
        let items = (0..ITEMS).map(|number| {
            let mut notice = notice(numbered_id(number), "v1");
            match number % 10 {
                3 => notice.reason = "rude".to_owned(),
                // Out of bounds in two ways.
                5 => {
                    notice.request_id = "no-uuid".to_owned();
                    notice.explanation = "x".repeat(2_001);
                }
                // The item before, once more.
                7 => {
                    notice.request_id = numbered_id(number - 1);
                }
                // The item before, with something else.
                9 => {
                    notice.request_id = numbered_id(number - 1);
                    notice.region.clear();
                }
                _ => {}
            }
            StreamReportsRequest { report: Some(notice) }
        });
        let answers = client.stream_reports(stream::iter(items)).await.unwrap().into_inner();
        let answers: Vec<_> = answers.map(|answer| answer.unwrap()).collect().await;
        assert_eq!(answers.len(), ITEMS);
        let mut last_receipt = None;
        for (number, answer) in answers.into_iter().enumerate() {
            assert_eq!(answer.index, i64::try_from(number).unwrap());
            match (number % 10, answer.result.unwrap()) {
                (3, Answer::Error(error)) => {
                    assert_eq!(error.code, i32::from(Code::InvalidArgument));
                    assert_eq!(error.reason, "REASON_UNKNOWN");
                }
                (5, Answer::Error(error)) => {
                    assert_eq!(error.reason, "INVALID_REQUEST");
                    let fields: Vec<_> =
                        error.field_violations.iter().map(|v| v.field.as_str()).collect();
                    assert_eq!(fields, ["request_id", "explanation"]);
                }
                (7, Answer::Receipt(receipt)) => assert_eq!(Some(receipt), last_receipt),
                (9, Answer::Error(error)) => assert_eq!(error.reason, "REQUEST_ID_CONFLICT"),
                (3 | 5 | 9, answer) => panic!("{number}: {answer:?}"),
                (_, Answer::Receipt(receipt)) => last_receipt = Some(receipt),
                (_, answer) => panic!("{number}: {answer:?}"),
            }
        }
        let taken = ITEMS / 10 * 6;
        let count = i64::try_from(taken).unwrap();
        assert_eq!(world.counts().await, (count, taken, count));
    }
}

#[tokio::test]
async fn an_empty_item_names_what_it_lacks() {
    for world in each().await {
        let mut client = world.person("p1");
        let items = stream::iter([StreamReportsRequest { report: None }]);
        let mut answers = client.stream_reports(items).await.unwrap().into_inner();
        let answer = answers.message().await.unwrap().unwrap();
        let Some(Answer::Error(error)) = answer.result else { panic!("{answer:?}") };
        let fields: Vec<_> = error.field_violations.iter().map(|v| v.field.as_str()).collect();
        assert_eq!(fields, ["request_id", "subject", "reason"]);
        assert!(answers.message().await.unwrap().is_none());
    }
}

#[tokio::test]
async fn stopping_tells_the_stream_to_come_back() {
    for world in each().await {
        let mut client = world.person("p1");
        let first = StreamReportsRequest { report: Some(notice(numbered_id(1), "v1")) };
        let items = stream::iter([first]).chain(stream::pending());
        let mut answers = client.stream_reports(items).await.unwrap().into_inner();
        let answer = answers.message().await.unwrap().unwrap();
        assert!(matches!(answer.result, Some(Answer::Receipt(_))));
        world.service.stop().await;
        let status = answers.message().await.unwrap_err();
        assert_eq!(status.code(), Code::Unavailable);
        assert_eq!(crate::world::reason(&status), "SHUTTING_DOWN");
    }
}
