-- Claims of the imitated, campaigns, what was decided, and digests.

-- Whether the owner wants a weekly digest.
ALTER TABLE identities ADD COLUMN monitored BOOLEAN NOT NULL DEFAULT false;

-- For whom digests are made.
CREATE INDEX identities_monitored ON identities (identity_id) WHERE monitored AND state = 1;

-- Claims that an account imitates somebody. A row is never deleted.
CREATE TABLE claims (
    claim_id            TEXT    NOT NULL, -- clm_…; sorts by the time it was taken
    claimant            TEXT    NOT NULL, -- who claims, as the credentials say; in no event
    imitator_account_id TEXT    NOT NULL, -- the account that imitates
    identity_id         TEXT    NOT NULL, -- the protected identity; empty: none
    account_id          TEXT    NOT NULL, -- the account that is imitated; empty: none
    role                BIGINT  NOT NULL, -- impersonation.v1.Claim.Role
    state               BIGINT  NOT NULL, -- Claim.State
    outcome             BIGINT  NOT NULL, -- Claim.Outcome
    outcome_corrected   BOOLEAN NOT NULL, -- an appeal changed the outcome
    statement           BYTEA   NOT NULL, -- a Claim with only explanation and addresses of evidence
    good_faith          BOOLEAN NOT NULL, -- what the claimant declared
    proof_kept          BOOLEAN NOT NULL, -- whether there is a row in claim_proofs
    proof_drop_time     BIGINT  NOT NULL, -- when the proof was deleted, microseconds UTC; 0: never
    case_id             TEXT    NOT NULL, -- its case in review; empty: none yet
    match_id            TEXT    NOT NULL, -- the match of the same pair; empty: none
    decision_id         TEXT    NOT NULL, -- what can be appealed against; empty: nothing yet
    appeal_side         BIGINT  NOT NULL, -- AppealRoute.Side of who may appeal; 0: nobody yet
    appeal_end_time     BIGINT  NOT NULL, -- until when, microseconds UTC; 0: nothing yet
    decide_time         BIGINT  NOT NULL, -- when it was decided first, microseconds UTC; 0: not yet
    create_time         BIGINT  NOT NULL, -- when it was taken, microseconds UTC
    update_time         BIGINT  NOT NULL, -- when it last changed, microseconds UTC
    CONSTRAINT claims_pkey PRIMARY KEY (claim_id)
);

-- Somebody's own claims, newest first, and how they fared.
CREATE INDEX claims_by_claimant ON claims (claimant, claim_id DESC);

-- Claims about an account, newest first.
CREATE INDEX claims_by_imitator ON claims (imitator_account_id, claim_id DESC);

-- Claims that stand somewhere, newest first.
CREATE INDEX claims_by_state ON claims (state, claim_id DESC);

-- What a decision concerns.
CREATE INDEX claims_by_case ON claims (case_id, claim_id) WHERE case_id <> '';

-- Proofs of identity, encrypted. A row is deleted when its claim is decided or withdrawn.
CREATE TABLE claim_proofs (
    claim_id TEXT  NOT NULL, -- the claim, to which the encryption is bound
    key_id   TEXT  NOT NULL, -- which key opens it
    sealed   BYTEA NOT NULL, -- nonce, ciphertext and tag of an impersonation.v1.Proof
    CONSTRAINT claim_proofs_pkey PRIMARY KEY (claim_id)
);

-- Who looked at a proof.
CREATE TABLE proof_looks (
    look_id  TEXT   NOT NULL, -- look_…; sorts by time
    claim_id TEXT   NOT NULL, -- whose proof
    subject  TEXT   NOT NULL, -- who looked, as the credentials say
    time     BIGINT NOT NULL, -- when, microseconds UTC
    CONSTRAINT proof_looks_pkey PRIMARY KEY (look_id)
);

CREATE INDEX proof_looks_by_claim ON proof_looks (claim_id, look_id);

-- What review decided about matches, with what the detector knew then.
CREATE TABLE labels (
    label_id      TEXT    NOT NULL, -- lbl_…; sorts by the time of the decision
    match_id      TEXT    NOT NULL, -- the match
    decision_id   TEXT    NOT NULL, -- the decision
    imitation     BOOLEAN NOT NULL, -- what holds, as corrected
    corrected     BOOLEAN NOT NULL, -- an appeal changed it
    probability   DOUBLE PRECISION NOT NULL, -- that the detector gave
    snapshot      BYTEA   NOT NULL, -- a Match with only likeness, identity and profile
    model_version TEXT    NOT NULL, -- the weights that gave the probability
    pack_version  BIGINT  NOT NULL, -- the pack under which it was decided
    decide_time   BIGINT  NOT NULL, -- microseconds UTC
    CONSTRAINT labels_pkey PRIMARY KEY (label_id)
);

-- A decision labels a match once; an appeal corrects all that it labelled.
CREATE UNIQUE INDEX labels_once ON labels (decision_id, match_id);

-- What was decided over a time.
CREATE INDEX labels_by_time ON labels (decide_time, label_id);

-- Imitators that belong together.
CREATE TABLE campaigns (
    campaign_id     TEXT   NOT NULL, -- cmp_…; sorts by the time it was first seen
    kind            BIGINT NOT NULL, -- impersonation.v1.Campaign.Kind
    state           BIGINT NOT NULL, -- Campaign.State
    identity_id     TEXT   NOT NULL, -- the identity imitated, or imitated most
    match_count     BIGINT NOT NULL, -- its matches
    open_count      BIGINT NOT NULL, -- those that are open or in a case
    confirmed_count BIGINT NOT NULL, -- those that were confirmed
    create_time     BIGINT NOT NULL, -- when its first match was found, microseconds UTC
    update_time     BIGINT NOT NULL, -- when it last changed, microseconds UTC
    CONSTRAINT campaigns_pkey PRIMARY KEY (campaign_id)
);

-- Campaigns against an identity, newest first.
CREATE INDEX campaigns_by_identity ON campaigns (identity_id, campaign_id DESC);

-- Campaigns that stand somewhere, newest first.
CREATE INDEX campaigns_by_state ON campaigns (state, campaign_id DESC);

-- What matches can have in common with others.
CREATE TABLE match_traits (
    name     TEXT    NOT NULL, -- the trait
    actor    BOOLEAN NOT NULL, -- whether it tells of one actor
    match_id TEXT    NOT NULL, -- the match
    CONSTRAINT match_traits_pkey PRIMARY KEY (name, match_id)
);

-- What a match has, to be replaced when it is found anew.
CREATE INDEX match_traits_by_match ON match_traits (match_id, name);

-- What happened to matches, as the event log told it.
CREATE TABLE match_changes (
    seq         BIGINT NOT NULL, -- the number of the event
    identity_id TEXT   NOT NULL, -- the protected identity
    match_id    TEXT   NOT NULL, -- the match
    state       BIGINT NOT NULL, -- impersonation.v1.Match.State from then on
    probability DOUBLE PRECISION NOT NULL, -- how probable an imitation it was
    time        BIGINT NOT NULL, -- when, microseconds UTC
    CONSTRAINT match_changes_pkey PRIMARY KEY (seq)
);

-- What happened to the matches of an identity, in order.
CREATE INDEX match_changes_by_identity ON match_changes (identity_id, seq);

-- Weekly digests.
CREATE TABLE digests (
    digest_id   TEXT   NOT NULL, -- dig_…
    identity_id TEXT   NOT NULL, -- the identity
    start_time  BIGINT NOT NULL, -- where the week begins, microseconds UTC
    digest      BYTEA  NOT NULL, -- an impersonation.v1.Digest
    CONSTRAINT digests_pkey PRIMARY KEY (digest_id)
);

-- One digest for each identity and week, newest first.
CREATE UNIQUE INDEX digests_once ON digests (identity_id, start_time DESC);

-- How far the making of a week's digests has come.
CREATE TABLE digest_rounds (
    start_time  BIGINT  NOT NULL, -- where the week begins, microseconds UTC
    identity_id TEXT    NOT NULL, -- the last identity that is done; empty: none yet
    done        BOOLEAN NOT NULL, -- every one is done
    CONSTRAINT digest_rounds_pkey PRIMARY KEY (start_time)
);
