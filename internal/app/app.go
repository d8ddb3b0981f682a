// Package app is the only place where Ipse's parts are connected: it builds
// them from a configuration, translates between a service's small interfaces
// and the engines, and starts and stops everything in order.
package app
