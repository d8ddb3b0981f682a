-- Records of the OpenID provider that live for minutes: waiting logins, codes,
-- access tokens, used proofs. A row names nobody: key is a hash of a secret that
-- only a browser or a service holds, value opens with that secret alone.

CREATE TABLE records (
    kind    TEXT    NOT NULL,
    key     BLOB    NOT NULL, -- SHA-256
    family  BLOB,             -- ties the records of one grant together
    value   BLOB,             -- sealed; null once taken
    expires INTEGER NOT NULL, -- Unix seconds
    PRIMARY KEY (kind, key)
) STRICT;
CREATE INDEX records_family ON records (family) WHERE family IS NOT NULL;
CREATE INDEX records_expires ON records (expires);

CREATE TABLE revoked (
    family BLOB    NOT NULL PRIMARY KEY,
    until  INTEGER NOT NULL -- Unix seconds
) STRICT, WITHOUT ROWID;
