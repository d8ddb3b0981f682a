package tlv

import (
	"errors"
	"fmt"
)

// Refusal says that an input was refused: which file or structure, where in it, and
// by which clause. Its text never carries the data.
type Refusal struct {
	File   string // for example "DG2", "certificate"
	Clause string // of the standard, for example "9303-10 4.7.2"
	Err    error  // wraps an *Error with the place
}

// Refuse wraps err, the reason why file was refused by clause. Where err names no
// place, the start of the file is meant. A nil err stays nil.
func Refuse(file, clause string, err error) error {
	if err == nil {
		return nil
	}
	if at := (*Error)(nil); !errors.As(err, &at) {
		err = &Error{Reason: err}
	}
	return &Refusal{File: file, Clause: clause, Err: err}
}

// Error implements error.
func (r *Refusal) Error() string { return fmt.Sprintf("%s (%s): %v", r.File, r.Clause, r.Err) }

// Unwrap returns the reason.
func (r *Refusal) Unwrap() error { return r.Err }

// Offset returns the place in octets from the start of the outermost input.
func (r *Refusal) Offset() int {
	var at *Error
	if errors.As(r.Err, &at) {
		return at.Offset
	}
	return 0
}
