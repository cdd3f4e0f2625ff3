-- What the detector of impersonation found, once each time. A row never changes.
CREATE TABLE findings (
    event_id      TEXT             NOT NULL, -- the event of impersonation that told it
    find_time     BIGINT           NOT NULL, -- when it was found, microseconds UTC
    probability   DOUBLE PRECISION NOT NULL, -- how probable an imitation seemed, 0 to 1
    model_version TEXT             NOT NULL, -- the weights that said so
    CONSTRAINT findings_pkey PRIMARY KEY (event_id)
);

CREATE INDEX findings_by_time ON findings (find_time);

-- What reviewers decided about it. An appeal corrects a row in its place, at the time of the decision.
CREATE TABLE labels (
    label_id      TEXT             NOT NULL, -- lbl_…, as impersonation names it
    decide_time   BIGINT           NOT NULL, -- when it was decided first, microseconds UTC
    probability   DOUBLE PRECISION NOT NULL, -- how probable an imitation had seemed, 0 to 1
    imitation     BOOLEAN          NOT NULL, -- whether it is one, as it holds now
    corrected     BOOLEAN          NOT NULL, -- whether an appeal corrected it
    signals       TEXT             NOT NULL, -- what spoke for it: names of signals, alphabetical, separated by commas
    model_version TEXT             NOT NULL, -- the weights that gave the probability
    CONSTRAINT labels_pkey PRIMARY KEY (label_id)
);

CREATE INDEX labels_by_time ON labels (decide_time);

-- How far each stream has been counted.
CREATE TABLE counted (
    stream     TEXT   NOT NULL, -- the service that tells it
    event_time BIGINT NOT NULL, -- when the last event that was counted happened, microseconds UTC
    CONSTRAINT counted_pkey PRIMARY KEY (stream)
);
