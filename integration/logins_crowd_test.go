package integration_test

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"reveille/integration/guest"
)

const (
	crowd       = 16 // logins that hang at once
	crowdTries  = 3  // of the break-glass user, beside them
	crowdRounds = 3
)

// TestACrowdOfHangingLogins has sixteen users of the directory wait for servers
// that drop all packets, and the break-glass user come in beside them and after
// them. From the tenth login that is on its way sshd throws dice over each
// connection (MaxStartups 10:30:100), and turns a third away at once: it is one
// of three tries that has to get in, and a round in which the dice turned all
// three away, one in thirty, is made again.
//
// nslcd has five threads, which they keep: whoever asks it anything, be it what
// it knows by itself, waits for all of them.
func TestACrowdOfHangingLogins(t *testing.T) {
	needRoot(t, "boot machines")
	lab := newLoginLab(t, guest.Container)
	lab.configure(loginConfigs[0])
	for round := range crowdRounds {
		turnedAway := lab.crowd(t)
		if turnedAway < crowdTries {
			return
		}
		t.Logf("round %d: sshd's dice turned all %d tries away", round+1, crowdTries)
	}
	t.Errorf("the break-glass user did not get in by any of %d tries, %d times over", crowdTries, crowdRounds)
}

// crowd is one round, and how many tries sshd turned away.
func (l *loginLab) crowd(t *testing.T) (turnedAway int) {
	t.Helper()
	up, err := l.ready(loginFault{set: func(l *loginLab) error { return l.drop(ldapFirst, ldapSecond) }}, false)
	l.must(err)
	if !up {
		t.Fatal("nslcd is not up, and keeps nobody waiting")
	}
	ctx, cancel := context.WithTimeout(t.Context(), cutAfter)
	defer cancel()
	var all sync.WaitGroup
	for i := range crowd {
		all.Go(func() {
			_, err := l.fabric.Login(ctx, l.image.Key, fmt.Sprintf("crowd%d", i), guest.Lease, "true")
			if err == nil {
				t.Errorf("crowd%d came in, whom no server knows", i)
			}
		})
	}
	waitFor(t, untilWithin, "ten logins hang at once", func() error {
		out, err := l.try("sh", "-c", `pgrep -fc '^sshd: .*\[(priv|net|preauth)\]'`)
		if n, _ := strconv.Atoi(strings.TrimSpace(out)); err == nil && n < 10 {
			return fmt.Errorf("%d do", n)
		}
		return err
	})
	for turnedAway < crowdTries {
		took, err := l.breakGlass(t)
		if err == nil {
			t.Logf("in after %d that were turned away, in %.2fs", turnedAway, took.Seconds())
			break
		}
		turnedAway++
		t.Logf("turned away after %.2fs: %v", took.Seconds(), err)
	}
	all.Wait()
	if took, err := l.breakGlass(t); err != nil || took >= breakGlassWithin {
		t.Errorf("after them the break-glass user took %.2fs: %v", took.Seconds(), err)
	}
	l.must(l.heal())
	return turnedAway
}

// breakGlass is a login of the break-glass user. One that sshd takes has to come
// in in time; one that it turns away is told at once.
func (l *loginLab) breakGlass(t *testing.T) (time.Duration, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), cutAfter)
	defer cancel()
	began := time.Now()
	_, err := l.fabric.Login(ctx, l.image.Key, "admin", guest.Lease, "true")
	took := time.Since(began)
	if took >= breakGlassWithin {
		t.Errorf("the break-glass user waited for %.2fs: %v", took.Seconds(), err)
	}
	return took, err
}
