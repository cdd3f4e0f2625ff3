-- Matches and claims of impersonation, which open cases as reports do.

-- How many matches and claims of a case did not fall away.
ALTER TABLE cases ADD COLUMN impersonation_count BIGINT NOT NULL DEFAULT 0;

-- A subject has at most one open case in each area, whatever brought it; appeals stand apart.
DROP INDEX cases_one_open;
CREATE UNIQUE INDEX cases_one_open ON cases (subject_type, subject_id, area)
    WHERE state = 1 AND kind <> 2;

-- What brought the case was manifestly unfounded (Art. 23 DSA).
ALTER TABLE decisions ADD COLUMN manifestly_unfounded BOOLEAN NOT NULL DEFAULT false;

-- What the impersonation service knows that concerns a case. Who claims is not known here.
CREATE TABLE case_impersonations (
    case_id     TEXT    NOT NULL, -- the case that it belongs to
    item_id     TEXT    NOT NULL, -- mat_…, clm_… or exm_…
    kind        BIGINT  NOT NULL, -- 1 match, 2 claim, 3 exemption
    campaign_id TEXT    NOT NULL, -- of a match: its campaign, cmp_…; or empty
    item        BYTEA   NOT NULL, -- impersonation.v1.Match, .Claim or .Exemption as protobuf
    withdrawn   BOOLEAN NOT NULL, -- it fell away or was taken back
    add_time    BIGINT  NOT NULL, -- when it came, microseconds UTC
    CONSTRAINT case_impersonations_pkey PRIMARY KEY (case_id, item_id)
);

-- In which cases a match or a claim is.
CREATE INDEX case_impersonations_by_item ON case_impersonations (item_id, case_id);

-- The cases of a campaign.
CREATE INDEX case_impersonations_by_campaign ON case_impersonations (campaign_id, case_id)
    WHERE campaign_id <> '';
