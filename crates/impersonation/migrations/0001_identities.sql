-- Numbers that the indexes in memory know rows by: dense, never used twice.
CREATE TABLE counters (
    name  TEXT   NOT NULL, -- "identities" or "profiles"
    value BIGINT NOT NULL, -- the last number given out
    CONSTRAINT counters_pkey PRIMARY KEY (name)
);
INSERT INTO counters (name, value) VALUES ('identities', 0), ('profiles', 0);

-- What is protected. A row is never deleted.
CREATE TABLE identities (
    identity_id      TEXT   NOT NULL, -- idn_…; sorts by the time of enrolment
    number           BIGINT NOT NULL, -- what the index in memory calls it
    state            BIGINT NOT NULL, -- recourse.impersonation.v1.ProtectedIdentity.State
    owner_account_id TEXT   NOT NULL, -- the first of its own accounts; empty for none
    spec             BYTEA  NOT NULL, -- a recourse.impersonation.v1.IdentitySpec without pictures
    pictures         BYTEA  NOT NULL, -- the hashes of its pictures and of their views
    verifications    BYTEA  NOT NULL, -- a ProtectedIdentity with only its verifications
    end_reason       TEXT   NOT NULL, -- why it was ended; empty while it is not
    create_time      BIGINT NOT NULL, -- when it was enrolled, microseconds UTC
    update_time      BIGINT NOT NULL, -- when it last changed, microseconds UTC
    known_since_time BIGINT NOT NULL, -- since when it has its name, microseconds UTC
    next_lapse_time  BIGINT NOT NULL, -- when its protection or the first verification runs out,
                                      -- microseconds UTC; the greatest number for never
    version          BIGINT NOT NULL, -- rises with every change
    CONSTRAINT identities_pkey PRIMARY KEY (identity_id)
);

-- From a hit of the index to its row, and the order in which an index is rebuilt.
CREATE UNIQUE INDEX identities_number ON identities (number);

-- What runs out next.
CREATE INDEX identities_by_lapse ON identities (next_lapse_time, identity_id) WHERE state = 1;

-- Whose accounts can never imitate whom. Rows go when the protection ends.
CREATE TABLE identity_accounts (
    account_id  TEXT   NOT NULL, -- the platform's identifier of the account
    identity_id TEXT   NOT NULL, -- the identity
    kind        BIGINT NOT NULL, -- 0: the identity itself; else Affiliate.Kind
    CONSTRAINT identity_accounts_pkey PRIMARY KEY (account_id, identity_id)
);

-- An account is itself only once.
CREATE UNIQUE INDEX identity_accounts_own ON identity_accounts (account_id) WHERE kind = 0;

-- All accounts of an identity.
CREATE INDEX identity_accounts_by_identity ON identity_accounts (identity_id);

-- The population: accounts as they were last observed.
CREATE TABLE profiles (
    account_id  TEXT   NOT NULL, -- the platform's identifier of the account
    number      BIGINT NOT NULL, -- what the population in memory calls it
    profile     BYTEA  NOT NULL, -- a recourse.impersonation.v1.Profile with hashes for pictures
    look        BYTEA  NOT NULL, -- fingerprint of what is compared: 16 bytes
    name_time   BIGINT NOT NULL, -- when it was first observed under its names, microseconds UTC
    update_time BIGINT NOT NULL, -- when it was last observed, microseconds UTC
    CONSTRAINT profiles_pkey PRIMARY KEY (account_id)
);

-- The order in which the population is rebuilt.
CREATE UNIQUE INDEX profiles_number ON profiles (number);

-- Why accounts may look like protected identities.
CREATE TABLE exemptions (
    exemption_id TEXT   NOT NULL, -- exm_…; sorts by the time it was made
    account_id   TEXT   NOT NULL, -- the account that is exempt
    identity_id  TEXT   NOT NULL, -- from which identity; empty: from all
    kind         BIGINT NOT NULL, -- recourse.impersonation.v1.ExemptionKind
    state        BIGINT NOT NULL, -- recourse.impersonation.v1.Exemption.State
    evidence     TEXT   NOT NULL, -- what was shown for it
    end_reason   TEXT   NOT NULL, -- why it ended; empty while it has not
    create_time  BIGINT NOT NULL, -- when it was declared or granted, microseconds UTC
    update_time  BIGINT NOT NULL, -- when it last changed, microseconds UTC
    expire_time  BIGINT NOT NULL, -- until when it holds, microseconds UTC; the greatest number
                                  -- for no end
    CONSTRAINT exemptions_pkey PRIMARY KEY (exemption_id)
);

-- What an account is exempt from, newest first.
CREATE INDEX exemptions_by_account ON exemptions (account_id, exemption_id DESC);

-- Who is exempt from an identity, newest first.
CREATE INDEX exemptions_by_identity ON exemptions (identity_id, exemption_id DESC);

-- What runs out next.
CREATE INDEX exemptions_by_expiry ON exemptions (expire_time, exemption_id) WHERE state <> 3;

-- Settings of the service, one row each.
CREATE TABLE settings (
    name        TEXT   NOT NULL, -- "thresholds"
    value       BYTEA  NOT NULL, -- a recourse.impersonation.v1.Thresholds
    update_time BIGINT NOT NULL, -- when it was set, microseconds UTC
    CONSTRAINT settings_pkey PRIMARY KEY (name)
);

-- Accounts that were found to look like protected identities: one row for each pair, never deleted.
CREATE TABLE matches (
    match_id     TEXT   NOT NULL, -- mat_…; sorts by the time it was first found
    identity_id  TEXT   NOT NULL, -- the protected identity
    account_id   TEXT   NOT NULL, -- the account that looks like it
    state        BIGINT NOT NULL, -- recourse.impersonation.v1.Match.State
    consequence  BIGINT NOT NULL, -- recourse.impersonation.v1.Consequence
    probability  DOUBLE PRECISION NOT NULL, -- that it imitates, when last found
    snapshot     BYTEA  NOT NULL, -- a recourse.impersonation.v1.Match with only likeness, identity,
                                  -- profile and what changed, when last found
    look         BYTEA  NOT NULL, -- fingerprint of the profile when last found: 16 bytes
    campaign_id  TEXT   NOT NULL, -- the campaign that it is part of; empty: none
    case_id      TEXT   NOT NULL, -- its case in review; empty: none yet
    decision_id  TEXT   NOT NULL, -- its decision; empty: none yet
    reopen_count BIGINT NOT NULL, -- how often it was found anew after a material change
    create_time  BIGINT NOT NULL, -- when it was first found, microseconds UTC
    update_time  BIGINT NOT NULL, -- when it last changed, microseconds UTC
    CONSTRAINT matches_pkey PRIMARY KEY (match_id)
);

-- One row for each pair.
CREATE UNIQUE INDEX matches_pair ON matches (identity_id, account_id);

-- What was found of an identity, newest first.
CREATE INDEX matches_by_identity ON matches (identity_id, match_id DESC);

-- What was found of an account.
CREATE INDEX matches_by_account ON matches (account_id, match_id DESC);

-- What stands somewhere, newest first.
CREATE INDEX matches_by_state ON matches (state, match_id DESC);

-- What belongs together. A match outside campaigns is not in it.
CREATE INDEX matches_by_campaign ON matches (campaign_id, match_id DESC) WHERE campaign_id <> '';

-- What a decision resolves.
CREATE INDEX matches_by_case ON matches (case_id, match_id) WHERE case_id <> '';

-- How far this service's own tasks have come in its event log, and who is at it.
CREATE TABLE cursors (
    name        TEXT   NOT NULL, -- the task
    seq         BIGINT NOT NULL, -- the number of the last event that is done
    holder      TEXT   NOT NULL, -- the process that works on it; empty: none
    lease_until BIGINT NOT NULL, -- until when, microseconds UTC
    CONSTRAINT cursors_pkey PRIMARY KEY (name)
);
