// Package disks serves a virtual machine's disks and remembers every write to
// them in the order in which they came, so that the disks of any power cut can
// be made afterwards: what was flushed is there, what was not may be lost. It
// knows neither what is on the disks nor which machine has them.
package disks
