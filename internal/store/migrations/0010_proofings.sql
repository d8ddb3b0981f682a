-- Proofing sessions. A row names nobody: sealed opens only with the token of
-- which token_hash is the SHA-256. Rows are deleted an hour after their end
-- (proofing.Policy.ResultFor).

CREATE TABLE proofings (
    token_hash    BLOB    NOT NULL PRIMARY KEY, -- SHA-256 of the cookie's secret
    id            TEXT    NOT NULL UNIQUE,      -- random; receipts name it
    version       INTEGER NOT NULL,             -- grows with every write
    language      TEXT    NOT NULL,
    created       INTEGER NOT NULL,             -- Unix seconds
    expires       INTEGER NOT NULL,             -- Unix seconds
    state         TEXT    NOT NULL,
    route         TEXT    NOT NULL,             -- empty from acceptance on
    running       INTEGER NOT NULL,
    document_left INTEGER NOT NULL,
    face_left     INTEGER NOT NULL,
    face_refunds  INTEGER NOT NULL,
    document      TEXT    NOT NULL,             -- result of the check, or empty
    chip          TEXT    NOT NULL,
    holder        TEXT    NOT NULL,
    level         TEXT    NOT NULL,
    reason        TEXT    NOT NULL,
    receipt       TEXT    NOT NULL,             -- signed consent; empty from acceptance on
    sealed        BLOB                          -- encrypted under a key from the token
) STRICT, WITHOUT ROWID;
CREATE INDEX proofings_expires ON proofings (expires);
