package api

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// rig is a Sender whose lanes call functions in place of coordinators, so that
// time can be the test's own.
func rig(sends map[string]func(context.Context, Report) error) *Sender {
	ctx, cancel := context.WithCancel(context.Background())
	s := &Sender{cancel: cancel}
	for url, send := range sends {
		s.lanes = append(s.lanes, newLane(ctx, url, send, func() {}, &s.wg, SenderOptions{Log: slog.New(slog.DiscardHandler)}))
	}
	return s
}

func boot(id string) Report {
	return Report{Version: Version, BootID: id, InstanceID: "i-1", State: Ready}
}

// record keeps the boot ids that were sent, and answers with what answer says.
type recorder struct {
	mu   sync.Mutex
	sent []string
	at   []time.Time
	say  func(n int) error // n counts from 1
}

func (c *recorder) send(_ context.Context, r Report) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sent = append(c.sent, r.BootID)
	c.at = append(c.at, time.Now())
	if c.say == nil {
		return nil
	}
	return c.say(len(c.sent))
}

// Unsent is what each coordinator, by its URL, should have and has not. A
// report that was refused is not in it. After Close it no longer changes.
func (s *Sender) Unsent() map[string]Report {
	out := map[string]Report{}
	for _, l := range s.lanes {
		if r, ok := l.unsent(); ok {
			out[l.url] = r
		}
	}
	return out
}

func (l *lane) unsent() (Report, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.newest == nil {
		return Report{}, false
	}
	return *l.newest, true
}

func TestOutageOfHours(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		back := time.Now().Add(3 * time.Hour)
		c := &recorder{say: func(int) error {
			if time.Now().Before(back) {
				return errors.New("connection refused")
			}
			return nil
		}}
		s := rig(map[string]func(context.Context, Report) error{"u": c.send})
		defer s.Close()
		s.Offer(boot("1"))
		time.Sleep(time.Hour)
		s.Offer(boot("2"))
		s.Offer(boot("3"))
		time.Sleep(time.Hour)
		if got := s.Unsent()["u"].BootID; got != "3" {
			t.Errorf("unsent in the outage: %q, want the newest", got)
		}
		time.Sleep(time.Hour + lastBackoff)
		synctest.Wait()
		if got := c.sent[len(c.sent)-1]; got != "3" || len(s.Unsent()) != 0 {
			t.Errorf("after the outage the coordinator has %q and %d are unsent", got, len(s.Unsent()))
		}
		if strings.Contains(strings.Join(c.sent, ""), "2") {
			t.Error("a report that was replaced before its turn was sent")
		}
		// Full jitter to a minute: half a minute on average, never in step.
		if n := len(c.sent); n < 200 || n > 600 {
			t.Errorf("%d attempts in three hours", n)
		}
		gaps := map[time.Duration]bool{}
		for i := 1; i < len(c.at); i++ {
			gap := c.at[i].Sub(c.at[i-1])
			if gaps[gap] = true; gap > lastBackoff {
				t.Errorf("a pause of %v, above %v", gap, lastBackoff)
			}
		}
		if len(gaps) < len(c.at)/2 {
			t.Errorf("%d attempts have only %d different pauses: no jitter", len(c.at), len(gaps))
		}
	})
}

func TestRetryAfterIsHonoured(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &recorder{say: func(n int) error {
			if n == 1 {
				return &Problem{Status: 503, RetryAfter: 90 * time.Second}
			}
			return nil
		}}
		s := rig(map[string]func(context.Context, Report) error{"u": c.send})
		defer s.Close()
		s.Offer(boot("1"))
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if len(c.at) != 2 || c.at[1].Sub(c.at[0]) < 90*time.Second {
			t.Errorf("attempts at %v, want the second 90 s later or more", c.at)
		}
	})
}

func TestARefusalIsFinalForThatReportAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &recorder{say: func(n int) error {
			if n == 1 {
				return &Problem{Status: 400, Title: "Bad Request", Detail: "state: missing"}
			}
			return nil
		}}
		s := rig(map[string]func(context.Context, Report) error{"u": c.send})
		defer s.Close()
		s.Offer(boot("1"))
		err := s.Flush(t.Context())
		if err == nil || !strings.Contains(err.Error(), "state: missing") {
			t.Errorf("Flush: %v, want the refusal", err)
		}
		if err := s.Flush(t.Context()); err == nil {
			t.Error("a second Flush forgets the refusal, though the coordinator still lacks the report")
		}
		if n := len(s.Unsent()); n != 0 {
			t.Errorf("%d unsent: a refused report would be kept for ever", n)
		}
		time.Sleep(time.Hour)
		if len(c.sent) != 1 {
			t.Errorf("sent %d times", len(c.sent))
		}
		s.Offer(boot("2"))
		if err := s.Flush(t.Context()); err != nil {
			t.Errorf("the next report: %v", err)
		}
	})
}

func TestOneThatHangsDelaysNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		good := &recorder{}
		hang := func(ctx context.Context, _ Report) error { <-ctx.Done(); return ctx.Err() }
		s := rig(map[string]func(context.Context, Report) error{"good": good.send, "hangs": hang})
		start := time.Now()
		s.Offer(boot("1"))
		if took := time.Since(start); took != 0 {
			t.Errorf("Offer waited %v", took)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		err := s.Flush(ctx)
		if took := time.Since(start); took != 2*time.Second {
			t.Errorf("Flush took %v, its context has 2 s", took)
		}
		if err == nil || !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "hangs") || strings.Contains(err.Error(), "good") {
			t.Errorf("Flush: %v, want the one that hangs and not the good one", err)
		}
		s.Close()
		if u := s.Unsent(); len(u) != 1 || u["hangs"].BootID != "1" {
			t.Errorf("unsent %v, want the report for the one that hangs", u)
		}
		if len(good.sent) != 1 {
			t.Errorf("the good one got %d reports", len(good.sent))
		}
	})
}

func TestNewestReplacesWhatIsOnItsWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &recorder{}
		slow := func(ctx context.Context, r Report) error { time.Sleep(time.Second); return c.send(ctx, r) }
		s := rig(map[string]func(context.Context, Report) error{"u": slow})
		defer s.Close()
		s.Offer(boot("1"))
		synctest.Wait() // the first is on its way
		for _, id := range []string{"2", "3", "4"} {
			s.Offer(boot(id))
		}
		if err := s.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(c.sent, " "); got != "1 4" {
			t.Errorf("sent %s, want the first and the newest", got)
		}
	})
}

func TestFlushDoesNotWaitOutAPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		up := false
		c := &recorder{say: func(int) error {
			if !up {
				return &Problem{Status: 503, RetryAfter: time.Hour}
			}
			return nil
		}}
		s := rig(map[string]func(context.Context, Report) error{"u": c.send})
		defer s.Close()
		s.Offer(boot("1"))
		synctest.Wait()
		up = true
		start := time.Now()
		if err := s.Flush(t.Context()); err != nil || time.Since(start) != 0 {
			t.Errorf("Flush: %v after %v", err, time.Since(start))
		}
	})
}

func TestAfterClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &recorder{}
		s := rig(map[string]func(context.Context, Report) error{"u": c.send})
		s.Close()
		s.Offer(boot("1"))
		if err := s.Flush(t.Context()); err == nil || !strings.Contains(err.Error(), "closed") {
			t.Errorf("Flush: %v, want that the sender is closed", err)
		}
		if len(c.sent) != 0 || s.Unsent()["u"].BootID != "1" {
			t.Errorf("sent %v, unsent %v; want it kept", c.sent, s.Unsent())
		}
		s.Close()
	})
}

func TestBackoffGrows(t *testing.T) {
	most := func(n int) time.Duration {
		var m time.Duration
		for range 2000 {
			m = max(m, backoff(n, nil))
		}
		return m
	}
	for n, span := range map[int]time.Duration{1: time.Second, 2: 2 * time.Second, 5: 16 * time.Second, 7: time.Minute, 10: time.Minute, 1000: time.Minute} {
		if m := most(n); m > span || m < span*9/10 {
			t.Errorf("after %d failures at most %v, want up to %v", n, m, span)
		}
	}
}

func TestLocalhostElsewhereIsRefused(t *testing.T) {
	for address, ok := range map[string]bool{"127.0.0.1:1": true, "[::1]:1": true, "10.0.0.4:1": false, "[fd00::1]:1": false} {
		if err := loopbackOnly("tcp", address, nil); (err == nil) != ok {
			t.Errorf("dialling %s for plain HTTP: %v", address, err)
		}
	}
}

// TestOnce: a command that ends soon makes one attempt, says why it failed, and
// keeps what is unsent; a newer report gets its own.
func TestOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &recorder{say: func(int) error { return errors.New("connection refused") }}
		s := rig(map[string]func(context.Context, Report) error{"u": c.send})
		defer s.Close()
		s.lanes[0].once = true
		begun := time.Now()
		for _, id := range []string{"1", "2"} {
			s.Offer(boot(id))
			err := s.Flush(t.Context())
			if err == nil || !strings.Contains(err.Error(), "connection refused") {
				t.Errorf("flush: %v", err)
			}
			if got := s.Unsent()["u"].BootID; got != id {
				t.Errorf("unsent: %q, want %q", got, id)
			}
		}
		if got := strings.Join(c.sent, " "); got != "1 2" || !time.Now().Equal(begun) {
			t.Errorf("sent %q in %s", got, time.Since(begun))
		}
	})
}
