package app

import "ipse/internal/config"

// Register adds a service to a demonstration.
func (o *DemoOptions) Register(s config.Service) { o.services = append(o.services, s) }

// Repeat is repeat, for tests.
var Repeat = repeat

// ServicesOf is servicesOf, and LogosOf logosOf, for tests.
var (
	ServicesOf = servicesOf
	LogosOf    = logosOf
)

// Metrics shows a demonstration's metrics.
func (o *DemoOptions) Metrics(address string) { o.metrics = address }
