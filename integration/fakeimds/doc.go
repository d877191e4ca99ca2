// Package fakeimds is an instance metadata service for tests and for
// developers: tokens, directory listings and 404s as the real one gives them,
// and the faults that the real one has on bad days. It must not know the
// client that it is tried with: what it answers follows the service's
// documentation alone.
package fakeimds
