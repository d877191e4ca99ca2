package facts

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// scripted answers each request on a connection with the next of the texts, and
// hangs up behind the last. It counts connections.
func scripted(t *testing.T, answers ...string) (url string, connections *atomic.Int64) {
	t.Helper()
	at, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { at.Close() })
	connections = new(atomic.Int64)
	go func() {
		for {
			conn, err := at.Accept()
			if err != nil {
				return
			}
			connections.Add(1)
			go func() {
				defer conn.Close()
				in := bufio.NewReader(conn)
				for _, a := range answers {
					if _, err := http.ReadRequest(in); err != nil {
						return
					}
					if _, err := io.WriteString(conn, a); err != nil {
						return
					}
				}
			}()
		}
	}()
	return "http://" + at.Addr().String(), connections
}

// patient is a transport for tests that wait for nothing.
func patient(t *testing.T) *transport {
	tr := &transport{header: 20 * time.Second, whole: 20 * time.Second}
	t.Cleanup(tr.close)
	return tr
}

// question asks and reads the answer.
func question(ctx context.Context, tr *transport, url string) (string, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	resp, err := tr.RoundTrip(r)
	if err != nil {
		return "", err
	}
	b, err := io.ReadAll(resp.Body)
	return fmt.Sprint(resp.StatusCode, " ", string(b)), errors.Join(err, resp.Body.Close())
}

const ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

func TestConnectionsAreKept(t *testing.T) {
	for _, c := range []struct {
		name    string
		answers []string
		asked   int
		want    string // each answer
		most    int64  // connections
	}{
		{"one for all", []string{ok, ok, ok}, 3, "200 ok", 1},
		{"chunked", []string{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", ok}, 2, "200 ok", 1},
		{"nothing in it", []string{"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"}, 2, "404 ", 1},
		{"the other side hangs up between two", []string{ok}, 3, "200 ok", 3},
		{"the other side says that it will", []string{"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", "HTTP/1.1 500 Never\r\n\r\n"}, 2, "200 ok", 2},
		{"an older protocol", []string{"HTTP/1.0 200 OK\r\n\r\nok"}, 2, "200 ok", 2},
		{"a provisional answer", []string{"HTTP/1.1 103 Early Hints\r\n\r\n" + ok, ok}, 2, "200 ok", 1},
		{"words behind the answer", []string{ok + "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"}, 2, "200 ok", 2},
		{"a redirect is an answer", []string{"HTTP/1.1 302 Found\r\nLocation: http://192.0.2.1/\r\nContent-Length: 0\r\n\r\n"}, 1, "302 ", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			url, connections := scripted(t, c.answers...)
			tr := patient(t)
			for range c.asked {
				if got, err := question(t.Context(), tr, url); got != c.want || err != nil {
					t.Fatalf("%q, %v", got, err)
				}
			}
			if n := connections.Load(); n != c.most {
				t.Errorf("%d connections, want %d", n, c.most)
			}
		})
	}
}

func TestBrokenAnswers(t *testing.T) {
	for name, c := range map[string]struct {
		answer string
		want   error // nil: any
	}{
		"none":               {"", io.ErrUnexpectedEOF},
		"half a head":        {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n", io.ErrUnexpectedEOF},
		"half a body":        {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", io.ErrUnexpectedEOF},
		"a head without end": {"HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 10*maxHead), errTooLarge},
		"no HTTP at all":     {"SSH-2.0-OpenSSH_9.2\r\n", nil},
	} {
		t.Run(name, func(t *testing.T) {
			url, connections := scripted(t, c.answer)
			_, err := question(t.Context(), patient(t), url)
			if err == nil || c.want != nil && !errors.Is(err, c.want) {
				t.Errorf("%v, want %v", err, c.want)
			}
			if n := connections.Load(); n != 1 {
				t.Errorf("a first answer that was broken was asked for %d times", n)
			}
		})
	}
}

// A body that nobody reads to its end is not taken for the next answer.
func TestUnreadBody(t *testing.T) {
	url, connections := scripted(t, "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"+strings.Repeat("x", 50000), ok)
	tr := patient(t)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := tr.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	if err := resp.Body.Close(); err != nil {
		t.Fatal(err)
	}
	if len(tr.idle) != 0 || connections.Load() != 1 {
		t.Errorf("%d connections are kept", len(tr.idle))
	}
}

// A question ends with its context and with its time, wherever it is.
func TestQuestionsEnd(t *testing.T) {
	silent := func(after string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if after != "" {
				io.WriteString(w, after)
				w.(http.Flusher).Flush()
			}
			<-r.Context().Done()
		}
	}
	for name, begun := range map[string]string{"before the head": "", "within the body": "begun"} {
		s := httptest.NewServer(silent(begun))
		t.Run(name+", by its time", func(t *testing.T) {
			tr := &transport{header: 50 * time.Millisecond, whole: 50 * time.Millisecond}
			defer tr.close()
			_, err := question(t.Context(), tr, s.URL)
			var ne net.Error
			if !errors.As(err, &ne) || !ne.Timeout() {
				t.Errorf("%v", err)
			}
		})
		t.Run(name+", by its context", func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			tr := patient(t)
			if _, err := question(ctx, tr, s.URL); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%v", err)
			}
			if len(tr.idle) > 0 {
				t.Error("its connection is kept")
			}
		})
		s.Close()
	}
}
