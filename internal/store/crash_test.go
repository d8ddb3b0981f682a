package store_test

import (
	"bufio"
	"context"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"ipse/internal/account"
	"ipse/internal/store"
)

// crashEnv makes the test program the writer that is killed; its value is the path.
const crashEnv = "IPSE_STORE_CRASH_PATH"

func TestMain(m *testing.M) {
	if path := os.Getenv(crashEnv); path != "" {
		writeUntilKilled(path)
	}
	os.Exit(m.Run())
}

// writeUntilKilled appends items and says of each that it was confirmed.
func writeUntilKilled(path string) {
	ctx := context.Background()
	db, err := store.Open(ctx, store.Config{Path: path})
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	for i := 1; ; i++ {
		if err := db.AppendItem(ctx, "a", account.Item{Kind: "journal", Sealed: make([]byte, 700)}, 1<<30); err != nil {
			fmt.Println("error", err)
			os.Exit(1)
		}
		fmt.Println(i)
	}
}

// TestConfirmedWritesSurviveKill kills a writer in mid-work, five times over.
func TestConfirmedWritesSurviveKill(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "ipse.db")
	db, err := store.Open(t.Context(), store.Config{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	a := account.Account{ID: "a", Handle: []byte("h"), Suite: "s", PublicKey: []byte{1}, Level: "low", CreatedOn: "2026-11-23"}
	if err := db.CreateAccount(t.Context(), a, nil); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	total := 0
	for round := range 5 {
		total += killWriter(t, path, 20+17*round)
		db, err := store.Open(t.Context(), store.Config{Path: path})
		if err != nil {
			t.Fatal(err)
		}
		items, err := db.Items(t.Context(), "a")
		if err != nil {
			t.Fatal(err)
		}
		// One write may have persisted without the writer having said so.
		if len(items) < total || len(items) > total+1 {
			t.Fatalf("round %d: %d items, %d confirmed", round, len(items), total)
		}
		total = len(items)
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
	checkIntegrity(t, path)
}

// killWriter starts the writer, kills it after some confirmations and returns
// how many it made.
func killWriter(t *testing.T, path string, after int) (confirmed int) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), crashEnv+"="+path)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	watchdog := time.AfterFunc(time.Minute, func() { _ = cmd.Process.Kill() })
	defer watchdog.Stop()
	for scanner := bufio.NewScanner(out); scanner.Scan(); {
		n, err := strconv.Atoi(scanner.Text())
		if err != nil {
			t.Errorf("writer: %s", scanner.Text())
			break
		}
		if confirmed = n; n == after {
			_ = cmd.Process.Kill()
		}
	}
	_ = cmd.Wait() // killed
	if confirmed < after {
		t.Fatalf("the writer stopped after %d", confirmed)
	}
	return confirmed
}

func checkIntegrity(t *testing.T, path string) {
	t.Helper()
	raw, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = raw.Close() }()
	var verdict string
	if err := raw.QueryRowContext(t.Context(), "PRAGMA integrity_check").Scan(&verdict); err != nil || verdict != "ok" {
		t.Errorf("integrity: %s, %v", verdict, err)
	}
}
