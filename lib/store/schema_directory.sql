-- directory.db: what a node knows of others. It can be rebuilt from the peers; no person is in it.
--
-- A section that begins with "-- version N" is one migration: it takes a database from version
-- N - 1 to N and is never changed after a release. embed.py cuts this file at those lines.

-- version 1
CREATE TABLE setting (
    name  TEXT NOT NULL PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- Whom our spaces pinned. `id` comes first: a refresh concerns all spaces that pinned that peer.
CREATE TABLE peer (
    id             TEXT    NOT NULL,
    space          TEXT    NOT NULL,
    fingerprint    TEXT    NOT NULL,
    pinned_at      INTEGER NOT NULL,
    checked        INTEGER NOT NULL,
    status_checked INTEGER NOT NULL,
    failure        TEXT    NOT NULL,
    failed_at      INTEGER NOT NULL,
    PRIMARY KEY (id, space)
) STRICT, WITHOUT ROWID;
CREATE INDEX peer_space ON peer (space, id);

-- The newest verified token of each (kind, subject).
CREATE TABLE record (
    n       INTEGER PRIMARY KEY,
    kind    TEXT    NOT NULL,
    subject TEXT    NOT NULL,
    issuer  TEXT    NOT NULL,
    iat     INTEGER NOT NULL,
    checked INTEGER NOT NULL,
    token   TEXT    NOT NULL,
    UNIQUE (kind, subject)
) STRICT;
CREATE INDEX record_issuer ON record (issuer);

-- version 2
-- Why the last refresh of a document failed, while it does: a document that is well says nothing of
-- another that is not. `subject` is the peer's id for its configuration, and sorts before its lists.
CREATE TABLE failing (
    id        TEXT    NOT NULL,
    subject   TEXT    NOT NULL,
    failed_at INTEGER NOT NULL,
    failure   TEXT    NOT NULL,
    PRIMARY KEY (id, subject)
) STRICT, WITHOUT ROWID;
ALTER TABLE peer DROP COLUMN failure;
ALTER TABLE peer DROP COLUMN failed_at;
