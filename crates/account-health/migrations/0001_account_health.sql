-- What counts against accounts, how they stand, and what they were told.

-- One row for each account that was ever decided against or told its language. Locked by whoever
-- changes anything of the account, so that changes of one account come one after the other.
CREATE TABLE accounts (
    account_id       TEXT    NOT NULL PRIMARY KEY, -- the platform's own identifier
    -- language wanted, BCP 47; empty: the pack's default
    locale           TEXT    NOT NULL,
    version          BIGINT  NOT NULL,             -- rises with every change of the row
    -- how it stands as far as events have told, recourse.accounthealth.v1.Standing; empty: well
    standing         BYTEA   NOT NULL,
    restricted       BOOLEAN NOT NULL,             -- whether that standing has a restriction
    -- when the standing changes by itself, microseconds UTC; NULL: never
    next_change_time BIGINT,
    -- the activation under whose ladders the standing was worked out; NULL while the ledger is
    -- empty
    activation       BIGINT,
    -- create_time of its last entry, microseconds UTC; 0: none
    last_entry_time  BIGINT  NOT NULL
);

CREATE INDEX accounts_next_change ON accounts (next_change_time) WHERE next_change_time IS NOT NULL;
CREATE INDEX accounts_activation ON accounts (activation, account_id) WHERE activation IS NOT NULL;
CREATE INDEX accounts_restricted ON accounts (account_id) WHERE restricted;

-- The ledger. Rows are inserted and never changed or deleted.
CREATE TABLE entries (
    entry_id       TEXT   NOT NULL PRIMARY KEY,    -- ent_…
    account_id     TEXT   NOT NULL,                -- whose ledger
    kind           BIGINT NOT NULL,                -- 1 a violation, 2 the voiding of one
    decision_id    TEXT   NOT NULL,                -- the decision that it follows from
    case_id        TEXT   NOT NULL,                -- the case of that decision
    subject_type   BIGINT NOT NULL,                -- recourse.types.v1.SubjectType
    subject_id     TEXT   NOT NULL,                -- what the decision is about
    -- the policy violated; NULL for a void, as are all columns down to expire_time
    policy         TEXT,
    edition        TEXT,                           -- the edition of the policy in force
    severity       BIGINT,                         -- recourse.types.v1.Severity
    -- points on each ladder, 0 or more, before a first warning
    points         BIGINT,
    ladders        JSONB,                          -- codes of the ladders, an array of strings
    effective_time BIGINT,                         -- since when it counts, microseconds UTC
    -- until when, itself excluded, microseconds UTC; NULL: for ever
    expire_time    BIGINT,
    pack_version   BIGINT NOT NULL,                -- version of the pack under which it was decided
    -- the violation that a void voids; NULL for a violation
    voids_entry_id TEXT,
    statement_id   TEXT   NOT NULL,                -- the statement of reasons issued with it
    -- when it was written, microseconds UTC; rises within an account
    create_time    BIGINT NOT NULL,
    CONSTRAINT entries_kind CHECK ((kind = 1 AND voids_entry_id IS NULL AND points >= 0)
                                OR (kind = 2 AND voids_entry_id IS NOT NULL)),
    CONSTRAINT entries_voids FOREIGN KEY (voids_entry_id) REFERENCES entries (entry_id)
);

-- A decision has its effect once, however often it is told.
CREATE UNIQUE INDEX entries_decision ON entries (decision_id, kind);
-- A reversal of a reversal, or a second one, is impossible.
CREATE UNIQUE INDEX entries_voided_once ON entries (voids_entry_id)
    WHERE voids_entry_id IS NOT NULL;
CREATE INDEX entries_account ON entries (account_id, create_time, entry_id);

-- Statements of reasons. Only superseded_by is ever set later.
CREATE TABLE statements (
    statement_id  TEXT   NOT NULL PRIMARY KEY,     -- sor_…
    account_id    TEXT   NOT NULL,                 -- to whom it is addressed
    decision_id   TEXT   NOT NULL,                 -- the decision that it states
    issue_time    BIGINT NOT NULL,                 -- when it was issued, microseconds UTC
    -- the statement that took its place; NULL while it stands
    superseded_by TEXT,
    -- recourse.accounthealth.v1.Statement without its texts, which are rendered from the pack
    content       BYTEA  NOT NULL
);

CREATE UNIQUE INDEX statements_decision ON statements (decision_id);
CREATE INDEX statements_account ON statements (account_id, issue_time, statement_id);

-- Which version of the pack was in force here, and since when.
CREATE TABLE activations (
    -- 1, 2, 3, … in the order of the policy service's events
    seq           BIGINT NOT NULL PRIMARY KEY,
    version       BIGINT NOT NULL,                 -- version of the pack
    -- when the policy service put it in force, microseconds UTC
    activate_time BIGINT NOT NULL,
    -- since when standings here are worked out under it, microseconds UTC
    apply_time    BIGINT NOT NULL
);

CREATE INDEX activations_apply ON activations (apply_time);
