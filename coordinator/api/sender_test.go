package api_test

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"reveille/coordinator/api"
)

func sender(t *testing.T, urls ...string) *api.Sender {
	t.Helper()
	s, err := api.NewSender(urls, api.SenderOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func TestNewSenderTellsEveryBadURL(t *testing.T) {
	_, err := api.NewSender([]string{"http://10.0.0.4", "https://10.0.0.5", "x"}, api.SenderOptions{})
	if err == nil || !strings.Contains(err.Error(), "10.0.0.4") || !strings.Contains(err.Error(), `"x"`) {
		t.Errorf("NewSender: %v, want both bad URLs", err)
	}
}

func TestSenderWithoutURLs(t *testing.T) {
	s := sender(t)
	s.Offer(report("i-1"))
	if err := s.Flush(t.Context()); err != nil || len(s.Unsent()) != 0 {
		t.Errorf("Flush: %v, unsent %v", err, s.Unsent())
	}
}

func TestSenderURLsCountOnce(t *testing.T) {
	var took atomic.Int32
	up := serve(t, func(w http.ResponseWriter, _ *http.Request) { took.Add(1); w.WriteHeader(204) })
	s := sender(t, up.URL, up.URL+"/")
	s.Offer(report("i-1"))
	if err := s.Flush(t.Context()); err != nil || took.Load() != 1 {
		t.Errorf("Flush: %v; the coordinator got the report %d times, want once", err, took.Load())
	}
}

// The way of `reveille boot`: offer, a short flush, keep what is unsent. Of
// three coordinators one takes it, one refuses connections, one hangs.
func TestSenderOverHTTP(t *testing.T) {
	release := make(chan struct{})
	var took atomic.Int32
	up := serve(t, func(w http.ResponseWriter, _ *http.Request) { took.Add(1); w.WriteHeader(204) })
	hangs := serve(t, func(http.ResponseWriter, *http.Request) { <-release })
	t.Cleanup(func() { close(release) })
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	down := "http://" + l.Addr().String()
	l.Close()

	settled := make(chan struct{}, 100)
	s, err := api.NewSender([]string{up.URL, hangs.URL, down}, api.SenderOptions{Settled: func() { settled <- struct{}{} }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	s.Offer(report("i-1"))
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	go func() {
		// Its time is over when there is but the one that hangs to wait for.
		for range settled {
			_, unsent := s.Unsent()[up.URL]
			if !unsent && strings.Contains(s.Untold().Error(), "connection refused") {
				cancel()
				return
			}
		}
	}()
	err = s.Flush(ctx)
	s.Close()
	for url, named := range map[string]bool{up.URL: false, hangs.URL: true, down: true} {
		if err == nil || strings.Contains(err.Error(), url) != named {
			t.Errorf("Flush: %v; %s named: want %v", err, url, named)
		}
		if _, unsent := s.Unsent()[url]; unsent != named {
			t.Errorf("%s: unsent is %v", url, unsent)
		}
	}
	if took.Load() != 1 {
		t.Errorf("the one that is up got %d reports", took.Load())
	}
}

// A coordinator that fails in several ways gets the report in the end.
func TestSenderTriesAgain(t *testing.T) {
	var n atomic.Int32
	var got sync.Map
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch n.Add(1) {
		case 1:
			w.WriteHeader(503)
		case 2:
			panic(http.ErrAbortHandler)
		default:
			var rep api.Report
			_ = json.NewDecoder(r.Body).Decode(&rep)
			got.Store(rep.InstanceID, true)
			w.WriteHeader(204)
		}
	})
	snd := sender(t, s.URL)
	snd.Offer(report("i-1"))
	// Each Flush cuts the pause before the next attempt short.
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := snd.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	if _, ok := got.Load("i-1"); !ok {
		t.Error("Flush says that it was sent, and it was not")
	}
}
