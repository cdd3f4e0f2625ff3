-- Appeals against the outcome of claims: several sides may appeal against one decision, each once.
-- Neither database's dialect alters constraints alike, so the table is made anew and filled.
CREATE TABLE appeals_kept AS SELECT * FROM appeals;
DROP TABLE appeals;

-- Appeals against decisions. A row is never deleted; only the columns from state on change.
CREATE TABLE appeals (
    appeal_id          TEXT   NOT NULL, -- app_…; sorts by the time of filing
    account_id         TEXT   NOT NULL, -- the account that appeals; of a claim, its claimant
    decision_id        TEXT   NOT NULL, -- the decision appealed against
    statement_id       TEXT   NOT NULL, -- its statement of reasons; empty: see claim_id
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
    claim_id           TEXT   NOT NULL, -- the claim of impersonation; empty: see statement_id
    CONSTRAINT appeals_pkey PRIMARY KEY (appeal_id),
    -- One appeal of each account against a decision, withdrawn ones included; the guarantee under
    -- races.
    CONSTRAINT appeals_one_per_side UNIQUE (decision_id, account_id)
);

INSERT INTO appeals
SELECT appeal_id, account_id, decision_id, statement_id, appealed_case_id, subject_type,
       subject_id, owner_account_id, grounds, evidence_urls, create_time, state, outcome,
       outcome_reasons, case_id, appeal_decision_id, update_time,
       ''
  FROM appeals_kept;
DROP TABLE appeals_kept;

-- An account's appeals, newest first.
CREATE INDEX appeals_by_account ON appeals (account_id, appeal_id DESC);
