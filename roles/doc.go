// Package roles is WHAT each role wants: from facts and layered documents to a
// profile, and from a profile to a plan. Everything here is pure, so that any
// machine can be replayed anywhere: no files, no network, no clock. It must
// not know how a plan is carried out, nor who is told.
package roles
