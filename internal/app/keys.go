package app

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
)

// Keys are the server's own secrets. None of them opens what people's passkeys
// seal: they sign, and they derive pairwise subjects.
type Keys struct {
	// Claims signs the attributes that a person keeps (ES256).
	Claims *ecdsa.PrivateKey
	// Receipts signs consent receipts (ES256).
	Receipts *ecdsa.PrivateKey
	// TokenEC signs ID tokens for services that ask for ES256.
	TokenEC *ecdsa.PrivateKey
	// TokenRSA signs ID tokens for services that ask for RS256 (3072 bits). It takes
	// most of a second to make: see RSAKey.
	TokenRSA *RSAKey
	// Pairwise derives each service's subject for a person (32 bytes, HMAC-SHA-256).
	Pairwise []byte
}

const rsaBits = 3072

// LoadKeys reads the keys in dir and makes those that are missing. A key file
// that exists but does not parse is an error, never replaced: replacing the
// claims key would make every sealed attribute worthless.
func LoadKeys(dir string, random io.Reader) (*Keys, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the key folder: %w", err)
	}
	var k Keys
	for name, target := range map[string]**ecdsa.PrivateKey{"claims.pem": &k.Claims, "receipts.pem": &k.Receipts, "token-es256.pem": &k.TokenEC} {
		key, err := loadKey(filepath.Join(dir, name), func() (crypto.Signer, error) {
			return ecdsa.GenerateKey(elliptic.P256(), random)
		})
		if err != nil {
			return nil, err
		}
		ec, ok := key.(*ecdsa.PrivateKey)
		if !ok || ec.Curve != elliptic.P256() {
			return nil, fmt.Errorf("key %s: not an ECDSA P-256 key", name)
		}
		*target = ec
	}
	var err error
	if k.TokenRSA, err = newRSAKey(filepath.Join(dir, "token-rs256.pem"), random); err != nil {
		return nil, err
	}
	k.Pairwise, err = loadSecret(filepath.Join(dir, "pairwise.key"), random)
	if err != nil {
		return nil, err
	}
	return &k, nil
}

// RSAKey is a key that is made when it is first needed, or in the background, and
// then kept like the others. It is safe for concurrent use.
type RSAKey struct {
	name   string
	random io.Reader

	mu     sync.Mutex // guards what follows; held while the key is made
	key    *rsa.PrivateKey
	closed bool
}

// newRSAKey reads the key where it exists already.
func newRSAKey(name string, random io.Reader) (*RSAKey, error) {
	k := &RSAKey{name: name, random: random}
	if _, err := os.Stat(name); errors.Is(err, fs.ErrNotExist) {
		return k, nil
	}
	_, err := k.Signer()
	return k, err
}

// Signer returns the key, made and written to disk if it was not there.
func (k *RSAKey) Signer() (crypto.Signer, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.key != nil {
		return k.key, nil
	}
	if k.closed {
		return nil, errors.New("key: the server is stopping")
	}
	key, err := loadKey(k.name, func() (crypto.Signer, error) { return rsa.GenerateKey(k.random, rsaBits) })
	if err != nil {
		return nil, err
	}
	made, ok := key.(*rsa.PrivateKey)
	if !ok || made.N.BitLen() < 2048 {
		return nil, fmt.Errorf("key %s: not an RSA key of at least 2048 bits", k.name)
	}
	k.key = made
	return made, nil
}

// close waits until the key is made, if it is being made, and makes none any more.
func (k *RSAKey) close() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.closed = true
}

func loadKey(name string, generate func() (crypto.Signer, error)) (crypto.Signer, error) {
	raw, err := readPrivate(name)
	if errors.Is(err, fs.ErrNotExist) {
		return makeKey(name, generate)
	}
	if err != nil {
		return nil, fmt.Errorf("read key: %w", err)
	}
	defer clear(raw)
	block, _ := pem.Decode(raw)
	if block == nil || block.Type != "PRIVATE KEY" {
		return nil, fmt.Errorf("key %s: not a PEM file with a PRIVATE KEY", name)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("key %s: not a PKCS #8 private key", name)
	}
	signer, ok := parsed.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("key %s: cannot sign", name)
	}
	return signer, nil
}

// readPrivate reads a secret that nobody else may read.
func readPrivate(name string) ([]byte, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if err := private(name, info); err != nil {
		return nil, err
	}
	return os.ReadFile(name)
}

func makeKey(name string, generate func() (crypto.Signer, error)) (crypto.Signer, error) {
	key, err := generate()
	if err != nil {
		return nil, fmt.Errorf("generate key %s: %w", name, err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("encode key %s: %w", name, err)
	}
	defer clear(der)
	text := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	defer clear(text)
	if err := writeNew(name, text); err != nil {
		return nil, err
	}
	return key, nil
}

func loadSecret(name string, random io.Reader) ([]byte, error) {
	secret, err := readPrivate(name)
	if errors.Is(err, fs.ErrNotExist) {
		secret = make([]byte, 32)
		if _, err := io.ReadFull(random, secret); err != nil {
			return nil, fmt.Errorf("generate %s: %w", name, err)
		}
		return secret, writeNew(name, secret)
	}
	if err != nil {
		return nil, fmt.Errorf("read secret: %w", err)
	}
	if len(secret) != 32 {
		return nil, fmt.Errorf("secret %s: has %d bytes, expected 32", name, len(secret))
	}
	return secret, nil
}

// writeNew writes a private file so that a crash leaves either none or all of
// it: temporary file, fsync, rename, fsync of the folder.
func writeNew(name string, content []byte) (err error) {
	dir := filepath.Dir(name)
	tmp, err := os.CreateTemp(dir, ".new-*") // mode 0600
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	defer func() {
		if err != nil {
			_ = os.Remove(tmp.Name())
		}
	}()
	if _, err = tmp.Write(content); err == nil {
		err = tmp.Sync()
	}
	if closeErr := tmp.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Rename(tmp.Name(), name)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return syncDir(dir)
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("sync folder: %w", err)
	}
	defer func() { _ = d.Close() }()
	if err := d.Sync(); err != nil {
		return fmt.Errorf("sync folder: %w", err)
	}
	return nil
}
