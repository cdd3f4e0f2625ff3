//! Answering a stream of reports item by item. It must not know how a report is filed.

use std::future::Future;

use contracts::reports::v1::stream_reports_response::Result as Answer;
use contracts::reports::v1::{
    FieldViolation, FileReportResponse, ItemError, StreamReportsResponse,
};
use futures_util::Stream;
use kit::items;
use tonic::Status;
use tonic_types::StatusExt as _;

/// Answers each item with what `handle` makes of it; see [`items::answers`].
pub fn answers<I, T, H, F>(
    items: I,
    stop: impl Future<Output = ()> + Send + 'static,
    handle: H,
) -> impl Stream<Item = Result<StreamReportsResponse, Status>> + Send
where
    I: Stream<Item = Result<T, Status>> + Send + Unpin + 'static,
    T: Send + 'static,
    H: Fn(T) -> F + Send + 'static,
    F: Future<Output = Result<FileReportResponse, Status>> + Send + 'static,
{
    items::answers(items, stop, handle, |index, result| StreamReportsResponse {
        index,
        result: Some(answer(result)),
    })
}

fn answer(result: Result<FileReportResponse, Status>) -> Answer {
    match result {
        Ok(response) => Answer::Receipt(response.receipt.unwrap_or_default()),
        Err(status) => Answer::Error(item_error(&status)),
    }
}

/// What a unary call would have been told, as a message.
fn item_error(status: &Status) -> ItemError {
    let details = status.get_error_details();
    let wrong = details.bad_request().map(|bad| bad.field_violations.as_slice());
    ItemError {
        code: status.code().into(),
        reason: details.error_info().map(|info| info.reason.clone()).unwrap_or_default(),
        message: status.message().to_owned(),
        field_violations: wrong
            .unwrap_or_default()
            .iter()
            .map(|violation| FieldViolation {
                field: violation.field.clone(),
                description: violation.description.clone(),
            })
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use contracts::reports::v1::Receipt;
    use futures_util::stream::BoxStream;
    use futures_util::{FutureExt as _, StreamExt as _, stream};
    use kit::Error;
    use kit::items::IN_FLIGHT_MAX;
    use tokio::sync::Semaphore;
    use tonic::Code;

    use super::*;

    fn receipt(id: usize) -> Result<FileReportResponse, Status> {
        let report_id = id.to_string();
        Ok(FileReportResponse { receipt: Some(Receipt { report_id, create_time: None }) })
    }

    fn numbers(count: usize) -> BoxStream<'static, Result<usize, Status>> {
        stream::iter((0..count).map(Ok)).boxed()
    }

    #[tokio::test]
    async fn answers_come_in_order_each_with_its_index() {
        let all: Vec<_> = answers(numbers(600), pending(), |item| async move {
            // The later ones are done first.
            for _ in item..600 {
                tokio::task::yield_now().await;
            }
            receipt(item)
        })
        .collect()
        .await;
        assert_eq!(all.len(), 600);
        for (index, answer) in all.into_iter().enumerate() {
            let answer = answer.unwrap();
            assert_eq!(answer.index, i64::try_from(index).unwrap());
            let Some(Answer::Receipt(receipt)) = answer.result else { panic!("no receipt") };
            assert_eq!(receipt.report_id, index.to_string());
        }
    }

    #[tokio::test]
    async fn no_more_than_the_limit_are_under_way_and_none_while_nobody_reads() {
        let begun = Arc::new(AtomicUsize::new(0));
        let gate = Arc::new(Semaphore::new(0));
        let (count, open) = (begun.clone(), gate.clone());
        let mut all = answers(numbers(10_000), pending(), move |item| {
            count.fetch_add(1, Ordering::SeqCst);
            let open = open.clone();
            async move {
                open.acquire().await.unwrap().forget();
                receipt(item)
            }
        })
        .boxed();
        assert_eq!(begun.load(Ordering::SeqCst), 0, "nothing begins before it is read");
        assert!(all.next().now_or_never().is_none());
        assert_eq!(begun.load(Ordering::SeqCst), IN_FLIGHT_MAX);
        gate.add_permits(10_000);
        for read in 1..=10 {
            all.next().await.unwrap().unwrap();
            assert!(begun.load(Ordering::SeqCst) <= IN_FLIGHT_MAX + read);
        }
        let after = begun.load(Ordering::SeqCst);
        tokio::task::yield_now().await;
        assert_eq!(begun.load(Ordering::SeqCst), after, "a reader that rests holds it up");
    }

    #[tokio::test]
    async fn a_wrong_item_does_not_end_the_stream() {
        let all: Vec<_> = answers(numbers(3), pending(), |item| {
            let wrong = Error::invalid("reason", "must be known").and_invalid("region", "odd");
            ready(if item == 1 { Err(wrong.into()) } else { receipt(item) })
        })
        .map(|answer| answer.unwrap().result.unwrap())
        .collect()
        .await;
        assert!(matches!(&all[..], [Answer::Receipt(_), Answer::Error(_), Answer::Receipt(_)]));
        let Answer::Error(error) = &all[1] else { panic!("no error") };
        assert_eq!((error.code, error.reason.as_str()), (3, "INVALID_REQUEST"));
        let fields: Vec<&str> = error.field_violations.iter().map(|f| f.field.as_str()).collect();
        assert_eq!(fields, ["reason", "region"]);
    }

    #[tokio::test]
    async fn what_was_taken_is_answered_before_the_stream_fails() {
        let broken: BoxStream<'static, Result<usize, Status>> =
            stream::iter([Ok(0), Ok(1), Err(Status::cancelled("gone")), Ok(2)]).boxed();
        let all: Vec<_> = answers(broken, pending(), |item| ready(receipt(item))).collect().await;
        assert_eq!(all.len(), 3);
        assert!(all[0].is_ok() && all[1].is_ok());
        assert_eq!(all[2].as_ref().unwrap_err().code(), Code::Cancelled);
    }

    #[tokio::test]
    async fn stopping_ends_the_stream_after_what_was_taken() {
        let items = numbers(2).chain(stream::pending()).boxed();
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let stopped = stopped.map(|_| ());
        let mut all = answers(items, stopped, |item| ready(receipt(item))).boxed();
        assert!(all.next().await.unwrap().is_ok() && all.next().await.unwrap().is_ok());
        stop.send(()).unwrap();
        let status = all.next().await.unwrap().unwrap_err();
        assert_eq!(status.code(), Code::Unavailable);
        assert_eq!(status.get_error_details().error_info().unwrap().reason, "SHUTTING_DOWN");
        assert!(all.next().await.is_none());
    }
}
