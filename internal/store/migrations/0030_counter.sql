-- Agents at the counter, and the evidence of what they decided. An agent's name is
-- a record of the operator's staff. A decision holds nothing of the person: case_id
-- is drawn when a case is opened, the statement names the consent receipt by a hash.

CREATE TABLE agents (
    id              TEXT    NOT NULL PRIMARY KEY, -- random, 128 bits, hexadecimal
    name            TEXT    NOT NULL,
    added_on        TEXT    NOT NULL,             -- YYYY-MM-DD
    removed_on      TEXT    NOT NULL,             -- YYYY-MM-DD; empty while they are one
    handle          BLOB    NOT NULL UNIQUE,      -- WebAuthn user handle: random
    enrolment_hash  BLOB    UNIQUE,               -- SHA-256 of the code; null once spent
    enrolment_ends  INTEGER NOT NULL,             -- Unix seconds
    key_id          BLOB    UNIQUE,               -- WebAuthn credential id; null before enrolment and after removal
    public_key      BLOB,                         -- COSE key
    sign_count      INTEGER NOT NULL,
    backup_eligible INTEGER NOT NULL,
    backup_state    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE agent_sessions (
    token_hash BLOB    NOT NULL PRIMARY KEY, -- SHA-256 of the cookie's secret
    agent      TEXT    NOT NULL REFERENCES agents (id) ON DELETE CASCADE,
    idle_until INTEGER NOT NULL,             -- Unix seconds
    ends       INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX agent_sessions_agent ON agent_sessions (agent);

CREATE TABLE decisions (
    case_id         TEXT    NOT NULL PRIMARY KEY, -- random, 128 bits, base64url
    agent           TEXT    NOT NULL REFERENCES agents (id),
    at              INTEGER NOT NULL,             -- Unix seconds, whole minutes
    statement       BLOB    NOT NULL,             -- what was signed
    key_id          BLOB    NOT NULL,
    public_key      BLOB    NOT NULL,
    backup_eligible INTEGER NOT NULL,
    answer          BLOB    NOT NULL              -- the passkey's answer
) STRICT, WITHOUT ROWID;
CREATE INDEX decisions_at ON decisions (at);
CREATE INDEX decisions_agent ON decisions (agent);
