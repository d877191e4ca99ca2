package block

import "sync"

// atOnce is how many devices are looked at side by side. A network's disk is slow
// to answer and keeps no processor busy meanwhile; each is read by a child of its
// own, and a small machine has no memory for many.
const atOnce = 4

// Beside calls do with 0 to n-1, several at a time, and returns when all have
// ended. What each leaves belongs to its own number alone, so that the outcome is
// the same whichever ends first. A panic of one is the caller's, who is guarded.
func Beside(n int, do func(i int)) {
	var all sync.WaitGroup
	turns, broken := make(chan struct{}, atOnce), make(chan any, n)
	for i := range n {
		turns <- struct{}{}
		all.Go(func() {
			defer func() {
				if fault := recover(); fault != nil {
					broken <- fault
				}
				<-turns
			}()
			do(i)
		})
	}
	all.Wait()
	if len(broken) > 0 {
		panic(<-broken)
	}
}
