-- Accounts, what opens them, and what is sealed to them. No attribute of a
-- person is in clear here, and no time finer than a day except where a session
-- or ceremony that lives for minutes or hours needs one.

CREATE TABLE accounts (
    id         TEXT    NOT NULL PRIMARY KEY, -- random, 128 bits, base64url
    handle     BLOB    NOT NULL UNIQUE,      -- WebAuthn user handle: random, unrelated to id
    suite      TEXT    NOT NULL,             -- HPKE suite of the person's key
    public_key BLOB    NOT NULL,             -- HPKE public key of the person
    level      TEXT    NOT NULL,             -- assurance of the proofing: low, substantial, high
    created_on TEXT    NOT NULL              -- YYYY-MM-DD
) STRICT, WITHOUT ROWID;

CREATE TABLE passkeys (
    id              BLOB    NOT NULL PRIMARY KEY, -- WebAuthn credential id
    account         TEXT    NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    public_key      BLOB    NOT NULL,             -- COSE key
    aaguid          BLOB    NOT NULL,             -- make of the authenticator; zeros with attestation none
    sign_count      INTEGER NOT NULL,
    transports      TEXT    NOT NULL,             -- comma separated
    backup_eligible INTEGER NOT NULL,
    backup_state    INTEGER NOT NULL,
    name            TEXT    NOT NULL,             -- chosen by the person
    created_on      TEXT    NOT NULL,             -- YYYY-MM-DD
    wrap_salt       BLOB    NOT NULL,             -- wrap of the person's private key under this passkey's PRF output
    wrapped         BLOB    NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX passkeys_account ON passkeys (account);

CREATE TABLE recoveries (
    account      TEXT    NOT NULL PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
    auth_hash    BLOB    NOT NULL UNIQUE, -- SHA-256 of the code's authentication value
    wrap_salt    BLOB    NOT NULL,
    wrapped      BLOB    NOT NULL,
    created_on   TEXT    NOT NULL         -- YYYY-MM-DD
) STRICT, WITHOUT ROWID;

CREATE TABLE items (
    account TEXT    NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    seq     INTEGER NOT NULL, -- counts within the account: says nothing across accounts
    kind    TEXT    NOT NULL, -- claims, journal
    sealed  BLOB    NOT NULL, -- HPKE enc || ciphertext
    PRIMARY KEY (account, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE account_sessions (
    token_hash BLOB    NOT NULL PRIMARY KEY, -- SHA-256 of the cookie's secret
    account    TEXT    NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    scope      TEXT    NOT NULL, -- full, recovery
    auth_time  INTEGER NOT NULL, -- Unix microseconds, 0 for none; the row goes when the session ends
    idle_until INTEGER NOT NULL, -- Unix seconds
    ends       INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX account_sessions_account ON account_sessions (account);
CREATE INDEX account_sessions_ends ON account_sessions (ends);

CREATE TABLE ceremonies (
    challenge_hash BLOB    NOT NULL PRIMARY KEY, -- SHA-256 of the WebAuthn challenge
    kind           TEXT    NOT NULL, -- create, add, login
    binding        TEXT    NOT NULL, -- who must finish it; empty for login
    state          BLOB    NOT NULL, -- the WebAuthn library's record
    expires        INTEGER NOT NULL  -- Unix seconds
) STRICT, WITHOUT ROWID;
CREATE INDEX ceremonies_expires ON ceremonies (expires);
