// Command http is the least that a Go program with an HTTP client can be.
package main

import (
	"net/http"
	"os"
)

func main() {
	if len(os.Args) > 2 { // never; but the linker does not know
		_, _ = http.Get(os.Args[2])
	}
}
