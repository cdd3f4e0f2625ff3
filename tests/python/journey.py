"""A report's whole way through a running suite, from Python with code generated from the protos.

Usage: journey.py ADDRESS. Exits 0 when everything reads as it should, otherwise with what did not.
"""

import sys
import time
import uuid

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)
from recourse.accounthealth.v1 import accounthealth_pb2, accounthealth_pb2_grpc
from recourse.appeals.v1 import appeals_pb2, appeals_pb2_grpc
from recourse.reports.v1 import reports_pb2, reports_pb2_grpc
from recourse.review.v1 import review_pb2, review_pb2_grpc
from recourse.types.v1 import types_pb2

PATIENCE_SECONDS = 20


def who(subject):
    return [("recourse-subject", subject)]


def request_id():
    return str(uuid.uuid4())


def wait_for(what, find):
    """Polls on a level until something is there."""
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        found = find()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError(f"{what} did not come in {PATIENCE_SECONDS} s")


def check(name, found, expected):
    assert found == expected, f"{name}: {found!r}, expected {expected!r}"


def expect_error(name, code, call):
    try:
        call()
    except grpc.RpcError as error:
        check(name, error.code(), code)
        details = dict(error.trailing_metadata()).get("grpc-status-details-bin")
        assert details, f"{name}: no error details"
        return
    raise AssertionError(f"{name}: no error")


class Journey:
    def __init__(self, channel):
        self.reports = reports_pb2_grpc.ReportsServiceStub(channel)
        self.review = review_pb2_grpc.ReviewServiceStub(channel)
        self.health = accounthealth_pb2_grpc.AccountHealthServiceStub(channel)
        self.appeals = appeals_pb2_grpc.AppealsServiceStub(channel)
        run = uuid.uuid4().hex[:12]
        self.account = f"creator_{run}"
        self.subject = types_pb2.Subject(
            type=types_pb2.SUBJECT_TYPE_COMMENT, id=f"comment_{run}", owner_account_id=self.account
        )

    def claim(self, case_id, reviewer):
        request = review_pb2.ClaimCaseRequest(request_id=request_id(), case_id=case_id)
        return self.review.ClaimCase(request, metadata=who(reviewer)).case

    def decide(self, case, reviewer, **verdict):
        request = review_pb2.DecideCaseRequest(
            request_id=request_id(),
            case_id=case.case_id,
            fencing_token=case.lease.fencing_token,
            etag=case.etag,
            **verdict,
        )
        return self.review.DecideCase(request, metadata=who(reviewer)).case

    def standing(self):
        request = accounthealth_pb2.GetAccountHealthRequest()
        return self.health.GetAccountHealth(request, metadata=who(self.account)).standing

    def walk(self):
        filing = reports_pb2.FileReportRequest(
            request_id=request_id(), subject=self.subject, reason="hate_speech.other"
        )
        receipt = self.reports.FileReport(filing, metadata=who("viewer")).receipt
        again = self.reports.FileReport(filing, metadata=who("viewer")).receipt
        check("the same request_id", again.report_id, receipt.report_id)

        cases = review_pb2.ListCasesRequest(subject=self.subject)
        case = wait_for("the case", lambda: self.review.ListCases(cases).cases)[0]
        held = self.claim(case.case_id, "reviewer_1")
        violation = review_pb2.Violation(policy="hate_speech", facts="It demeans a group.")
        decided = self.decide(held, "reviewer_1", violation=violation)
        decision_id = decided.decision.decision_id

        mine = accounthealth_pb2.ListStatementsRequest(locale="de")
        statement = wait_for(
            "the statement",
            lambda: self.health.ListStatements(mine, metadata=who(self.account)).statements,
        )[0]
        check("the statement's decision", statement.decision_id, decision_id)
        check("its language", statement.locale, "de")
        check("violations", self.standing().active_violation_count, 1)

        appeal = appeals_pb2.FileAppealRequest(
            request_id=request_id(), decision_id=decision_id, grounds="It is a quotation."
        )
        filed = self.appeals.FileAppeal(appeal, metadata=who(self.account)).appeal
        key = appeals_pb2.GetAppealRequest(appeal_id=filed.appeal_id)

        def read():
            return self.appeals.GetAppeal(key, metadata=who(self.account)).appeal

        heard_in = wait_for("the hearing", lambda: read().case_id)
        expect_error(
            "the first decider hears the appeal",
            grpc.StatusCode.FAILED_PRECONDITION,
            lambda: self.claim(heard_in, "reviewer_1"),
        )
        hearing = self.claim(heard_in, "reviewer_2")
        self.decide(hearing, "reviewer_2", overturned=review_pb2.Overturned(reasons="Quoted."))
        wait_for("the outcome", lambda: read().outcome == appeals_pb2.Appeal.OUTCOME_OVERTURNED)
        wait_for("the undoing", lambda: self.standing().active_violation_count == 0)
        check("restrictions", len(self.standing().restrictions), 0)

        own = reports_pb2.GetReportRequest(report_id=receipt.report_id)
        wait_for(
            "the corrected outcome",
            lambda: self.reports.GetReport(own, metadata=who("viewer")).report.outcome_corrected,
        )
        reversed_by = review_pb2.GetDecisionRequest(decision_id=decision_id)
        decision = self.review.GetDecision(reversed_by).decision
        assert decision.overturned_by_decision_id, "the first decision does not say it fell"

        expect_error(
            "an empty report",
            grpc.StatusCode.INVALID_ARGUMENT,
            lambda: self.reports.FileReport(reports_pb2.FileReportRequest()),
        )


def main():
    with grpc.insecure_channel(sys.argv[1]) as channel:
        grpc.channel_ready_future(channel).result(timeout=PATIENCE_SECONDS)
        services = ProtoReflectionDescriptorDatabase(channel).get_services()
        assert "recourse.reports.v1.ReportsService" in services, f"reflection: {services}"
        health = health_pb2_grpc.HealthStub(channel)
        asked = health_pb2.HealthCheckRequest(service="recourse.reports.v1.ReportsService")
        serving = health_pb2.HealthCheckResponse.SERVING
        # A service answers before it is ready, and says so.
        wait_for("health", lambda: health.Check(asked).status == serving)
        Journey(channel).walk()
    print("the journey from Python reads as it should")


if __name__ == "__main__":
    main()
