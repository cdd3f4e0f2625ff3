-- Appeals against decisions. A row is never deleted; only the columns from state on change.
CREATE TABLE appeals (
    appeal_id          TEXT   NOT NULL, -- app_…; sorts by the time of filing
    account_id         TEXT   NOT NULL, -- the account that appeals
    decision_id        TEXT   NOT NULL, -- the decision appealed against
    statement_id       TEXT   NOT NULL, -- the statement of reasons of that decision
    appealed_case_id   TEXT   NOT NULL, -- the case of that decision
    subject_type       BIGINT NOT NULL, -- what it is about: recourse.types.v1.SubjectType
    subject_id         TEXT   NOT NULL, -- … the platform's identifier of it
    owner_account_id   TEXT   NOT NULL, -- … the account that answers for it
    grounds            TEXT   NOT NULL, -- what the appellant says
    evidence_urls      JSONB  NOT NULL, -- addresses of evidence: an array of strings
    create_time        BIGINT NOT NULL, -- when it was filed, microseconds UTC
    state              BIGINT NOT NULL, -- recourse.appeals.v1.Appeal.State
    outcome            BIGINT NOT NULL, -- recourse.appeals.v1.Appeal.Outcome
    outcome_reasons    TEXT   NOT NULL, -- what the appellant is told; empty: not decided
    case_id            TEXT   NOT NULL, -- the case in which it is heard; empty: none yet
    appeal_decision_id TEXT   NOT NULL, -- the decision on the appeal; empty: none yet
    update_time        BIGINT NOT NULL, -- when it last changed, microseconds UTC
    CONSTRAINT appeals_pkey PRIMARY KEY (appeal_id),
    -- One appeal for each decision, withdrawn ones included; the guarantee under races.
    CONSTRAINT appeals_one_per_decision UNIQUE (decision_id)
);

-- An account's appeals, newest first.
CREATE INDEX appeals_by_account ON appeals (account_id, appeal_id DESC);
