package daemon

import (
	"slices"
	"sync"
)

// strength orders the reasons for a pass, the weakest first: what a stronger
// one may change includes what a weaker one may.
var strength = []Kind{Timer, Address, Hup, Device, Boot}

// asks holds the one question that triggers ask: look again. Asked twice it is
// the same question, and the stronger of the two reasons stays.
type asks struct {
	mu   sync.Mutex
	kind Kind          // "" where nobody asks
	wake chan struct{} // size 1: somebody asks
}

func newAsks() *asks { return &asks{wake: make(chan struct{}, 1)} }

// add asks, from any goroutine, and waits for nobody.
func (a *asks) add(k Kind) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.kind == "" || slices.Index(strength, k) > slices.Index(strength, a.kind) {
		a.kind = k
	}
	select {
	case a.wake <- struct{}{}:
	default:
	}
}

// take is the question, which is then no longer asked.
func (a *asks) take() Kind {
	a.mu.Lock()
	defer a.mu.Unlock()
	k := a.kind
	a.kind = ""
	select {
	case <-a.wake:
	default:
	}
	return k
}

// forget takes a question back that has been answered before its pass, if the
// reason is this one.
func (a *asks) forget(k Kind) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.kind != k {
		return
	}
	a.kind = ""
	select {
	case <-a.wake:
	default:
	}
}
