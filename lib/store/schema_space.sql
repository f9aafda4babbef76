-- space.db: one space's members, passes, visits and stamps.
--
-- A section that begins with "-- version N" is one migration: it takes a database from version
-- N - 1 to N and is never changed after a release. embed.py cuts this file at those lines.
--
-- What a check-in writes (visit, stamp, idempotency) has few indexes, and those that grow by
-- appending where possible: the desk must not slow down as the years pass. Their checks compare and
-- never say IN, which builds a table for each row. `n` is the order of recording, which lists follow. Long columns come last, so that reading the others never follows
-- a chain of overflow pages. '' stands for an absent text, as in the row structs.

-- version 1
CREATE TABLE setting (
    name  TEXT NOT NULL PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- Personal: name, email, external_id.
CREATE TABLE member (
    n           INTEGER PRIMARY KEY,
    id          TEXT    NOT NULL UNIQUE,
    sub         TEXT    NOT NULL UNIQUE,
    state       INTEGER NOT NULL CHECK (state BETWEEN 0 AND 2),
    created_at  INTEGER NOT NULL,
    changed_at  INTEGER NOT NULL,
    tier        TEXT    NOT NULL,
    language    TEXT    NOT NULL,
    name        TEXT    NOT NULL,
    email       TEXT    NOT NULL,
    external_id TEXT    NOT NULL
) STRICT;
CREATE UNIQUE INDEX member_external_id ON member (external_id) WHERE external_id <> '';

CREATE TABLE pass (
    n          INTEGER PRIMARY KEY,
    id         TEXT    NOT NULL UNIQUE,
    member     INTEGER NOT NULL REFERENCES member (n),
    tier       TEXT    NOT NULL,
    list       INTEGER NOT NULL CHECK (list >= 0),
    idx        INTEGER NOT NULL CHECK (idx >= 0),
    iat        INTEGER NOT NULL,
    exp        INTEGER NOT NULL,
    state      INTEGER NOT NULL CHECK (state BETWEEN 0 AND 2),
    revoked_at INTEGER NOT NULL,
    device     TEXT    NOT NULL
) STRICT;
-- Not unique: an index is given again once its pass has expired.
CREATE INDEX pass_index ON pass (list, idx, iat);
CREATE INDEX pass_expiry ON pass (list, exp);
CREATE INDEX pass_marked ON pass (list, exp) WHERE state <> 0;
CREATE INDEX pass_member ON pass (member);

CREATE TABLE published (
    name  TEXT    NOT NULL PRIMARY KEY,
    iat   INTEGER NOT NULL,
    exp   INTEGER NOT NULL,
    token TEXT    NOT NULL
) STRICT;

CREATE TABLE status_list (
    list  INTEGER PRIMARY KEY,
    dirty INTEGER NOT NULL CHECK (dirty BETWEEN 0 AND 1)
) STRICT;

CREATE TABLE token (
    n          INTEGER PRIMARY KEY,
    id         TEXT    NOT NULL UNIQUE,
    name       TEXT    NOT NULL,
    role       INTEGER NOT NULL CHECK (role BETWEEN 1 AND 3),
    hash       BLOB    NOT NULL UNIQUE CHECK (length(hash) = 32),
    created_at INTEGER NOT NULL,
    revoked_at INTEGER NOT NULL
) STRICT;
-- The name of a revoked token may be used again.
CREATE UNIQUE INDEX token_name ON token (name) WHERE revoked_at = 0;

-- Personal: sub, name, device and nonce, until retention takes them.
CREATE TABLE visit (
    n           INTEGER PRIMARY KEY,
    id          TEXT    NOT NULL UNIQUE,
    person      BLOB    NOT NULL CHECK (length(person) = 32),
    home        TEXT    NOT NULL,
    tier        TEXT    NOT NULL,
    status_uri  TEXT    NOT NULL,
    status_idx  INTEGER NOT NULL,
    verdict     TEXT    NOT NULL CHECK (verdict = 'admit' OR verdict = 'ask'),
    reasons     TEXT    NOT NULL,
    confirmed   INTEGER NOT NULL CHECK (confirmed BETWEEN 0 AND 1),
    data_age    INTEGER NOT NULL,
    day         TEXT    NOT NULL,
    checked_in  INTEGER NOT NULL,
    checked_out INTEGER NOT NULL,
    desk        TEXT    NOT NULL,
    stamp_state TEXT    NOT NULL CHECK (stamp_state = 'pending' OR stamp_state = 'receipted'
                                        OR stamp_state = 'refused'),
    sub         TEXT    NOT NULL,
    name        TEXT    NOT NULL,
    device      TEXT    NOT NULL,
    nonce       TEXT    NOT NULL
) STRICT;
CREATE UNIQUE INDEX visit_proof ON visit (device, nonce) WHERE device <> '';
-- Who is here now: stays as small as the room is.
CREATE INDEX visit_open ON visit (person) WHERE checked_out = 0;

-- The stamps that our visits sent home. While `due` is set, the row is in the outbox.
--
-- seq is n of the visit times 2^20, plus one more for each time that a stamp of it was put: so a
-- visit's stamps are found, newest last, without an index that each check-in would have to write.
CREATE TABLE stamp (
    seq        INTEGER PRIMARY KEY,
    revision   INTEGER NOT NULL CHECK (revision >= 0),
    home       TEXT    NOT NULL,
    due        INTEGER,
    attempts   INTEGER NOT NULL DEFAULT 0,
    settled_at INTEGER NOT NULL DEFAULT 0,
    refusal    TEXT    NOT NULL DEFAULT '',
    token      TEXT    NOT NULL,
    receipt    TEXT    NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX stamp_outbox ON stamp (home, seq, due) WHERE due IS NOT NULL;

-- Pruned after a day: small enough to be pruned by a scan.
CREATE TABLE idempotency (
    n      INTEGER PRIMARY KEY,
    desk   TEXT    NOT NULL,
    key    TEXT    NOT NULL,
    at     INTEGER NOT NULL,
    digest BLOB    NOT NULL CHECK (length(digest) = 32),
    answer BLOB    NOT NULL,
    UNIQUE (desk, key)
) STRICT;

-- Pruned after minutes.
CREATE TABLE verification (
    n       INTEGER PRIMARY KEY,
    id      TEXT    NOT NULL UNIQUE,
    desk    TEXT    NOT NULL,
    expires INTEGER NOT NULL,
    body    BLOB    NOT NULL
) STRICT;

-- At home: what hosts sent about our members.
CREATE TABLE home_stamp (
    n           INTEGER PRIMARY KEY,
    host        TEXT    NOT NULL,
    id          TEXT    NOT NULL,
    revision    INTEGER NOT NULL CHECK (revision >= 0),
    member      INTEGER NOT NULL REFERENCES member (n),
    pass        TEXT    NOT NULL,
    digest      BLOB    NOT NULL CHECK (length(digest) = 32),
    checked_in  INTEGER NOT NULL,
    checked_out INTEGER NOT NULL,
    day         TEXT    NOT NULL,
    received_at INTEGER NOT NULL,
    proven      INTEGER NOT NULL CHECK (proven BETWEEN 0 AND 1),
    token       TEXT    NOT NULL,
    receipt     TEXT    NOT NULL,
    UNIQUE (host, id, revision)
) STRICT;
CREATE INDEX home_stamp_member ON home_stamp (member, received_at);
CREATE INDEX home_stamp_time ON home_stamp (received_at);

-- version 2
-- One home's stamps in the order in which they are tried: what was tried least goes first, so that
-- a few that the home chokes on never hold up the others.
DROP INDEX stamp_outbox;
CREATE INDEX stamp_outbox ON stamp (home, attempts, seq, due) WHERE due IS NOT NULL;
