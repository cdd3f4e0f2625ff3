-- Published packs. A row never changes but for the instant of its last activation.
CREATE TABLE packs (
    version       BIGINT NOT NULL,   -- 1 for the first published, then counting up without gaps
    name          TEXT   NOT NULL,   -- the pack's own name, from pack.yaml
    digest        TEXT   NOT NULL,   -- SHA-256 of its files, 64 hexadecimal digits
    compiled      BYTEA  NOT NULL,   -- recourse.policy.v1.Pack, as it is answered
    files         BYTEA  NOT NULL,   -- recourse.policy.v1.CheckPackRequest: its files as they came
    publisher     TEXT   NOT NULL,   -- the subject of the credentials that published it
    create_time   BIGINT NOT NULL,   -- when it was published, microseconds UTC
    activate_time BIGINT,            -- when it was last put in force, microseconds UTC
    CONSTRAINT packs_pk PRIMARY KEY (version),
    CONSTRAINT packs_digest_unique UNIQUE (digest)
);

-- Every activation there was.
CREATE TABLE activations (
    event_id         TEXT   NOT NULL,   -- of the event that tells of it
    version          BIGINT NOT NULL,   -- the version put in force
    previous_version BIGINT NOT NULL,   -- the version in force before, 0 for none
    activator        TEXT   NOT NULL,   -- the subject of the credentials that did it
    time             BIGINT NOT NULL,   -- microseconds UTC
    CONSTRAINT activations_pk PRIMARY KEY (event_id),
    CONSTRAINT activations_version_fk FOREIGN KEY (version) REFERENCES packs (version)
);

-- One row: the newest version and the one in force. Publications and activations lock it.
CREATE TABLE pack_head (
    id             BIGINT NOT NULL,   -- always 1
    last_version   BIGINT NOT NULL,   -- the newest published version, 0 for none
    active_version BIGINT NOT NULL,   -- the version in force, 0 for none
    CONSTRAINT pack_head_pk PRIMARY KEY (id),
    CONSTRAINT pack_head_one CHECK (id = 1)
);

INSERT INTO pack_head (id, last_version, active_version) VALUES (1, 0, 0);
