// Package integration holds what no single room can show: the direction of
// imports, the built commands as a user types them, and the real programs that
// read what is rendered. Nothing else imports it.
package integration
