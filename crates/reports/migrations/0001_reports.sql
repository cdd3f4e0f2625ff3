-- What somebody gave notice of. A row is never deleted; only the columns from state on change.
CREATE TABLE reports (
    report_id         TEXT    NOT NULL, -- rep_…; sorts by the time of filing
    reporter          TEXT    NOT NULL, -- subject of the credentials that filed it; never shown
    subject_type      BIGINT  NOT NULL, -- recourse.types.v1.SubjectType
    subject_id        TEXT    NOT NULL, -- the platform's identifier of what is reported
    owner_account_id  TEXT    NOT NULL, -- the account that answers for it
    reason            TEXT    NOT NULL, -- code of the pack
    source            BIGINT  NOT NULL, -- recourse.types.v1.Source
    pack_version      BIGINT  NOT NULL, -- the pack under which it was taken
    notice            BYTEA   NOT NULL, -- the rest of what was said: a recourse.reports.v1.Report
                                        -- with only explanation, locations, evidence, snapshot,
                                        -- region and good faith
    create_time       BIGINT  NOT NULL, -- when it was taken, microseconds UTC
    state             BIGINT  NOT NULL, -- recourse.reports.v1.Report.State
    outcome           BIGINT  NOT NULL, -- recourse.reports.v1.Report.Outcome
    outcome_corrected BOOLEAN NOT NULL, -- whether an appeal corrected the outcome
    case_id           TEXT    NOT NULL, -- the case that it is part of; empty: none yet
    update_time       BIGINT  NOT NULL, -- when it last changed, microseconds UTC
    CONSTRAINT reports_pkey PRIMARY KEY (report_id)
);

-- A reporter's own, newest first.
CREATE INDEX reports_by_reporter ON reports (reporter, report_id DESC);

-- What was reported of a subject, newest first.
CREATE INDEX reports_by_subject ON reports (subject_type, subject_id, report_id DESC);

-- What a decision resolves. Filing does not pay for it: a report without a case is not in it.
CREATE INDEX reports_by_case ON reports (case_id, report_id) WHERE case_id <> '';
