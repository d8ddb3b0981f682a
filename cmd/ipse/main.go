// Command ipse is the whole of Ipse: the server, the demonstration, and the
// tools for passports, faces and configuration. `ipse help` lists the commands.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// version is set by the build.
var version = "dev"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	code := run(&cliContext{
		Context:  ctx,
		Stdin:    os.Stdin,
		Stdout:   os.Stdout,
		Stderr:   os.Stderr,
		Now:      time.Now,
		Terminal: isTerminal(os.Stderr),
		Version:  version,
	}, os.Args[1:])
	stop()
	os.Exit(code) //nolint:gocritic // nothing is deferred but stop, which has run
}
