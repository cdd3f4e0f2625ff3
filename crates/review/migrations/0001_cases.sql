-- Cases, what brought them, what was decided about them, and who reviews.

-- Something to be decided. While it is open it waits in a queue or is held under a lease.
CREATE TABLE cases (
    case_id              TEXT    NOT NULL PRIMARY KEY, -- case_…
    kind                 BIGINT  NOT NULL,  -- Case.Kind of review.v1: 1 reports, 2 appeal
    state                BIGINT  NOT NULL,  -- Case.State: 1 open, 2 decided, 3 withdrawn
    subject_type         BIGINT  NOT NULL,  -- types.v1.SubjectType
    subject_id           TEXT    NOT NULL,  -- the platform's id of the subject
    owner_account_id     TEXT    NOT NULL,  -- the account that answers for the subject
    area                 TEXT    NOT NULL,  -- policy area, a code of the pack
    queue                TEXT    NOT NULL,  -- where it waits, a code of the pack
    escalated            BOOLEAN NOT NULL,  -- a reviewer moved it to its queue
    severity             BIGINT  NOT NULL,  -- types.v1.Severity, the highest assumed
    source               BIGINT  NOT NULL,  -- types.v1.Source, the most trusted of its reports
    report_count         BIGINT  NOT NULL,  -- reports that were not withdrawn; 0 for an appeal
    first_reason         TEXT    NOT NULL,  -- reason of its first report, or of the appealed case
    language             TEXT    NOT NULL,  -- BCP 47 tag of the content; empty where unknown
    suggested_policies   TEXT    NOT NULL,  -- codes of the pack, one a line, in order of arrival
    due_time             BIGINT  NOT NULL,  -- when it is to be decided, microseconds UTC
    rank_time            BIGINT  NOT NULL,  -- place in the queue, earliest first, microseconds UTC
    lease_reviewer_id    TEXT    NOT NULL,  -- who holds it; empty: free
    lease_until          BIGINT  NOT NULL,  -- when the lease ends, microseconds UTC; 0: free
    fencing_token        BIGINT  NOT NULL,  -- rises with every new holder; 0 before the first
    version              BIGINT  NOT NULL,  -- rises with what matters to a decision
    decision_id          TEXT    NOT NULL,  -- its decision; empty until decided
    appeal_id            TEXT    NOT NULL,  -- appeal: app_…; or empty
    appealed_decision_id TEXT    NOT NULL,  -- appeal: the decision appealed against; or empty
    appealed_case_id     TEXT    NOT NULL,  -- appeal: the case of that decision; or empty
    appeal_grounds       TEXT    NOT NULL,  -- appeal: what the appellant says; or empty
    excluded_reviewer_id TEXT    NOT NULL,  -- appeal: the first decider, who may not hear it
    create_time          BIGINT  NOT NULL,  -- when it was opened, microseconds UTC
    update_time          BIGINT  NOT NULL,  -- when it last changed, microseconds UTC
    CONSTRAINT cases_lease_whole CHECK ((lease_until = 0) = (lease_reviewer_id = '')),
    CONSTRAINT cases_lease_open CHECK (lease_until = 0 OR state = 1)
);

-- A subject has at most one open case of reports in each area.
CREATE UNIQUE INDEX cases_one_open ON cases (subject_type, subject_id, area)
    WHERE state = 1 AND kind = 1;
-- An appeal is heard once.
CREATE UNIQUE INDEX cases_one_per_appeal ON cases (appeal_id) WHERE kind = 2;
-- What a claim looks through: only what is free, so that its cost depends neither on how many
-- cases there are nor on how many are held. The last column is there to be read from the index.
CREATE INDEX cases_free ON cases (queue, rank_time, case_id, excluded_reviewer_id)
    WHERE state = 1 AND lease_until = 0;
-- Leases by their end, to give back what expired.
CREATE INDEX cases_held ON cases (lease_until) WHERE lease_until > 0;
-- How many cases a reviewer holds.
CREATE INDEX cases_held_by ON cases (lease_reviewer_id, lease_until) WHERE lease_until > 0;
-- The lists.
CREATE INDEX cases_by_subject ON cases (subject_id, subject_type, case_id);
CREATE INDEX cases_by_owner ON cases (owner_account_id, case_id);
CREATE INDEX cases_by_queue ON cases (queue, state, kind, case_id);

-- A report as a reviewer sees it: who made it is not known here.
CREATE TABLE case_reports (
    report_id   TEXT    NOT NULL PRIMARY KEY, -- rep_…
    case_id     TEXT    NOT NULL,             -- the case that it belongs to
    reason      TEXT    NOT NULL,             -- a code of the pack
    explanation TEXT    NOT NULL,             -- the reporter's words; may be empty
    source      BIGINT  NOT NULL,             -- types.v1.Source
    file_time   BIGINT  NOT NULL,             -- when it was filed, microseconds UTC
    withdrawn   BOOLEAN NOT NULL,             -- its reporter took it back
    snapshot    BYTEA   NOT NULL              -- types.v1.ContentSnapshot as protobuf; empty: none
);

CREATE INDEX case_reports_by_case ON case_reports (case_id, report_id);

-- What was found in a case. Never changed, but for the mark that an appeal overturned it.
CREATE TABLE decisions (
    decision_id               TEXT   NOT NULL PRIMARY KEY, -- dec_…
    case_id                   TEXT   NOT NULL,  -- the case that it decides
    outcome                   BIGINT NOT NULL,  -- review.v1.Decision.Outcome
    policy                    TEXT   NOT NULL,  -- the policy violated; empty without a violation
    severity                  BIGINT NOT NULL,  -- types.v1.Severity of the violation; 0 without one
    facts                     TEXT   NOT NULL,  -- the facts relied on; empty without a violation
    actions                   TEXT   NOT NULL,  -- types.v1.ContentAction numbers, joined by commas
    region                    TEXT   NOT NULL,  -- ISO 3166-1 alpha-2 of the overlay; empty: none
    appeal_reasons            TEXT   NOT NULL,  -- what the appellant is told; or empty
    pack_version              BIGINT NOT NULL,  -- the version of the pack that was in force
    reviewer_id               TEXT   NOT NULL,  -- rvw_… of the decider
    decide_time               BIGINT NOT NULL,  -- microseconds UTC
    rationale                 TEXT   NOT NULL,  -- for staff only; may be empty
    overturned_by_decision_id TEXT   NOT NULL,  -- the decision on appeal; empty while it stands
    appealed_decision_id      TEXT   NOT NULL   -- on an appeal: the decision appealed against
);

CREATE UNIQUE INDEX decisions_one_per_case ON decisions (case_id);

CREATE TABLE notes (
    note_id     TEXT   NOT NULL PRIMARY KEY, -- note_…
    case_id     TEXT   NOT NULL,             -- the case that it is on
    reviewer_id TEXT   NOT NULL,             -- rvw_… of its writer
    text        TEXT   NOT NULL,             -- what it says
    create_time BIGINT NOT NULL              -- microseconds UTC
);

CREATE INDEX notes_by_case ON notes (case_id, note_id);

-- Who reviews. Outward only the pseudonym is shown.
CREATE TABLE reviewers (
    subject     TEXT   NOT NULL PRIMARY KEY, -- who, as the credentials say
    reviewer_id TEXT   NOT NULL,             -- rvw_…, the pseudonym
    create_time BIGINT NOT NULL              -- first seen, microseconds UTC
);

CREATE UNIQUE INDEX reviewers_pseudonym ON reviewers (reviewer_id);
