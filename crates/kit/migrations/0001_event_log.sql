-- The tables that every service's schema has: its event log, the streams it follows, and the
-- answers already given to mutating calls.

-- One row: the event log as a whole. Appending locks the row until commit, so that numbers
-- become visible in the order of commits.
CREATE TABLE event_head (
    id      BIGINT NOT NULL PRIMARY KEY,       -- always 1
    log_id  TEXT   NOT NULL,                   -- random, made with the log; in every resume token
    seq     BIGINT NOT NULL,                   -- number of the last event; 0 when there is none
    trimmed BIGINT NOT NULL,                   -- number of the last event that was trimmed; 0: none
    CONSTRAINT event_head_one_row CHECK (id = 1)
);

CREATE TABLE events (
    seq      BIGINT NOT NULL PRIMARY KEY,      -- 1, 2, 3, … without gaps, in commit order
    event_id TEXT   NOT NULL,                  -- evt_…
    key      TEXT   NOT NULL,                  -- what the event is about, such as an account's id
    kind     TEXT   NOT NULL,                  -- name of the event's kind
    time     BIGINT NOT NULL,                  -- when it happened, microseconds UTC
    payload  BYTEA  NOT NULL                   -- the service's event message, encoded as protobuf
);

CREATE TABLE followers (
    name        TEXT   NOT NULL PRIMARY KEY,   -- which stream, for which purpose
    token       TEXT   NOT NULL,               -- of the last event whose effect is stored, or empty
    holder      TEXT   NOT NULL,               -- the process that follows now; empty: none
    lease_until BIGINT NOT NULL                -- end of the holder's lease, microseconds UTC
);

CREATE TABLE requests (
    caller      TEXT   NOT NULL,               -- subject that made the call
    request_id  TEXT   NOT NULL,               -- UUID that the caller chose
    fingerprint BYTEA  NOT NULL,               -- SHA-256 of method and request
    response    BYTEA  NOT NULL,               -- the answer, encoded as protobuf
    time        BIGINT NOT NULL,               -- when it was answered, microseconds UTC
    CONSTRAINT requests_pkey PRIMARY KEY (caller, request_id)
);

CREATE INDEX requests_time ON requests (time);
