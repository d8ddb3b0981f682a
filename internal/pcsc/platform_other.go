//go:build !linux && !darwin

package pcsc

func openService() (service, error) { return nil, ErrUnsupported }
