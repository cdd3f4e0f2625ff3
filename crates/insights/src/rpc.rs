//! The RPCs: what is asked, what is read, the one judgement, the answer.
//!
//! Requests come checked against the rules of the contract. It holds no SQL and judges nothing.

use std::sync::Arc;

use contracts::insights::v1::insights_service_server::InsightsService;
use contracts::insights::v1::{GetDetectorDriftRequest, GetDetectorDriftResponse};
use kit::db::Db;
use kit::{Clock, Error};
use tonic::{Request, Response, Status};

use crate::drift::{self, Span};
use crate::{follow, store};

/// The service. Cheap to clone.
#[derive(Clone)]
pub struct Insights(Arc<Inner>);

struct Inner {
    db: Db,
    clock: Clock,
}

impl Insights {
    pub(crate) fn new(db: Db, clock: Clock) -> Insights {
        Insights(Arc::new(Inner { db, clock }))
    }
}

/// How the detector did in a span.
///
/// # Errors
/// If the database cannot be read.
pub(crate) async fn detector_drift(
    db: &Db,
    span: &Span,
) -> Result<GetDetectorDriftResponse, Error> {
    let cells = store::cells(db, span).await?;
    let signals = store::signals(db, span).await?;
    let event_time = store::counted_until(db, follow::IMPERSONATION).await?;
    let mut answer = drift::answer(span, &cells, &signals);
    answer.event_time = event_time.map(Into::into);
    Ok(answer)
}

#[tonic::async_trait]
impl InsightsService for Insights {
    async fn get_detector_drift(
        &self,
        request: Request<GetDetectorDriftRequest>,
    ) -> Result<Response<GetDetectorDriftResponse>, Status> {
        let Inner { db, clock } = &*self.0;
        let span = Span::asked(request.get_ref(), clock.now())?;
        Ok(Response::new(detector_drift(db, &span).await?))
    }
}
