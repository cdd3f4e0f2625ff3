//! Taking reports: concurrent filings share one transaction.
//!
//! Everything that can be made before the transaction is made by the task of the call (ids,
//! row, event), so that the one writer only passes it on. It decides nothing:
//! [`report::check`](crate::report::check) has said yes before a job is made.

use contracts::reports::v1::{FileReportRequest, FileReportResponse};
use contracts::types::v1::Source;
use kit::db::Tx;
use kit::events::NewEvent;
use kit::group_commit::Batch;
use kit::idempotency::{Call, Claims};
use kit::{Error, Ids, Time};
use pack::Pack;
use tonic::Status;

use crate::events::Events;
use crate::report;
use crate::store::{self, NewRow};

/// One report to be taken.
pub struct Job {
    call: Call,
    row: NewRow,
    event: NewEvent,
    response: FileReportResponse,
}

impl Job {
    /// A notice that was checked, as `reporter` files it under `call`.
    pub fn new(
        call: Call,
        notice: FileReportRequest,
        (reporter, source): (&str, Source),
        pack: &Pack,
        ids: &Ids,
        now: Time,
    ) -> Job {
        let report = report::file(notice, ids.new_id(report::ID_PREFIX, now), source, pack, now);
        Job {
            call,
            row: NewRow::of(&report, reporter, now),
            response: FileReportResponse { receipt: Some(report::receipt(&report)) },
            event: Events { ids, now }.filed(report),
        }
    }
}

/// The writer of all reports.
pub struct Filing;

impl Batch for Filing {
    type Job = Job;
    type Out = FileReportResponse;

    fn name(&self) -> &'static str {
        "file_reports"
    }

    async fn apply(
        &self,
        tx: &mut Tx,
        jobs: &[Job],
    ) -> Result<Vec<Result<FileReportResponse, Status>>, Error> {
        let calls = jobs.iter().map(|job| job.call.clone()).collect();
        // The receipt is made with the report, so that claim and answer are one statement.
        let receipts = jobs.iter().map(|job| job.response.clone()).collect();
        let claims = Claims::claim_answered(tx, calls, receipts).await?;
        let fresh = claims.fresh();
        if !fresh.is_empty() {
            let rows: Vec<&NewRow> = fresh.iter().map(|&index| &jobs[index].row).collect();
            store::file(tx, &rows).await?;
        }
        for index in fresh {
            tx.append(jobs[index].event.clone());
        }
        Ok(claims.finish(tx).await?)
    }
}
