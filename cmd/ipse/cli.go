package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/alecthomas/kong"
	"golang.org/x/term"

	"ipse/mrtd/specimen"
)

// Exit codes that scripts rely on.
const (
	exitDone    = 0
	exitFailed  = 1  // could not be done: bad input, I/O
	exitRefused = 2  // done, and the answer is no: not genuine, no match, not live
	exitUsage   = 64 // the command line is wrong (sysexits.h EX_USAGE)
)

// refusedError is how a command says that it worked and that the answer is no.
// Its text is printed; it never holds personal data.
type refusedError struct{ reason string }

// Error implements error.
func (e refusedError) Error() string { return e.reason }

// refused returns a refusal with a reason for people.
func refused(format string, args ...any) error {
	return refusedError{reason: fmt.Sprintf(format, args...)}
}

// usageError marks a mistake in the command line that kong cannot see.
type usageError struct{ error }

// cliContext is what commands get from main: the streams, the clock and the
// context that ends with an interrupt. Commands take nothing from globals.
type cliContext struct {
	// Context ends when the user interrupts.
	Context context.Context
	// Stdin, Stdout and Stderr: results go to Stdout, everything else to Stderr.
	Stdin  io.Reader
	Stdout io.Writer
	Stderr io.Writer
	// Now is the clock.
	Now func() time.Time
	// Terminal says that Stderr is a terminal, so that progress may be drawn.
	Terminal bool
	// Version of the program.
	Version string
}

// printJSON writes v as indented JSON, a line end after it.
func (c *cliContext) printJSON(v any) error {
	enc := json.NewEncoder(c.Stdout)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// progress redraws one line on a terminal; elsewhere it is silent.
func (c *cliContext) progress(format string, args ...any) {
	if c.Terminal {
		fmt.Fprintf(c.Stderr, "\r\033[K"+format, args...)
	}
}

// progressDone clears the progress line.
func (c *cliContext) progressDone() {
	if c.Terminal {
		fmt.Fprint(c.Stderr, "\r\033[K")
	}
}

// run parses args and runs the command; it returns the exit code.
func run(c *cliContext, args []string) int {
	var grammar commands
	code := -1
	parser, err := kong.New(&grammar,
		kong.Vars{"details": strings.Join(specimen.DetailNames(), ", ")},
		kong.Name("ipse"),
		kong.Description("Prove who you are with your passport's chip, log in with a passkey."),
		kong.Writers(c.Stdout, c.Stderr),
		kong.Exit(func(status int) { code = status }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, NoExpandSubcommands: true}),
		kong.Bind(c),
	)
	if err != nil {
		fmt.Fprintln(c.Stderr, "ipse:", err)
		return exitFailed
	}
	if len(args) == 0 {
		args = []string{"--help"}
	} else if args[0] == "help" {
		args = append(args[1:], "--help")
	}
	parsed, err := parser.Parse(args)
	if code >= 0 { // help was printed
		return code
	}
	if err != nil {
		fmt.Fprintf(c.Stderr, "ipse: %v\nipse: `ipse help` lists the commands, `ipse COMMAND -h` the flags\n", err)
		return exitUsage
	}
	return exitCode(c, parsed.Run(c))
}

func exitCode(c *cliContext, err error) int {
	if err == nil {
		return exitDone
	}
	var no refusedError
	var usage usageError
	switch {
	case errors.As(err, &no):
		fmt.Fprintln(c.Stderr, "refused:", no.reason)
		return exitRefused
	case errors.As(err, &usage):
		fmt.Fprintln(c.Stderr, "ipse:", err)
		return exitUsage
	default:
		fmt.Fprintln(c.Stderr, "ipse:", err)
		return exitFailed
	}
}

func isTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }
