package fakeec2

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"time"
)

const scheme = "AWS4-HMAC-SHA256"

// trusted is who alone may ask, and where.
type trusted struct{ region, id, secret, token string }

// Trust lets only those ask who sign as these credentials, for this region and
// within five minutes of the service's clock. Without it, whoever signs at all
// is believed.
func (s *Server) Trust(region, id, secret, token string, now func() time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.trusted, s.now = &trusted{region, id, secret, token}, now
}

func (s *Server) time() time.Time {
	if s.now == nil {
		return time.Now()
	}
	return s.now()
}

// admit is the error for who may not ask, "" for who may.
func (s *Server) admit(r *http.Request, now time.Time) (code, say string) {
	s.mu.Lock()
	t := s.trusted
	s.mu.Unlock()
	const unsound = "AWS was not able to validate the provided access credentials"
	switch {
	case !signed(r):
		return "AuthFailure", unsound
	case t == nil:
		return "", ""
	}
	at, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
	if err != nil {
		return "AuthFailure", unsound
	}
	if at.Sub(now).Abs() > 5*time.Minute {
		return "RequestExpired", "Request has expired."
	}
	if r.Header.Get("X-Amz-Security-Token") != t.token || !hmac.Equal([]byte(r.Header.Get("Authorization")), []byte(t.authorization(r, at))) {
		return "AuthFailure", unsound
	}
	return "", ""
}

// authorization is what the header should hold, by the documentation of
// Signature Version 4. The headers that were signed are taken from what it
// holds; those without which it would prove nothing have to be among them.
func (t *trusted) authorization(r *http.Request, at time.Time) string {
	_, rest, _ := strings.Cut(r.Header.Get("Authorization"), "SignedHeaders=")
	names, _, _ := strings.Cut(rest, ",")
	var headers strings.Builder
	for name := range strings.SplitSeq(names, ";") {
		value := r.Header.Get(name)
		switch name {
		case "host":
			value = r.Host
		case "content-length":
			value = fmt.Sprint(r.ContentLength)
		}
		fmt.Fprintf(&headers, "%s:%s\n", name, strings.TrimSpace(value))
	}
	for _, must := range []string{"host", "x-amz-date", "x-amz-security-token"} {
		if !strings.Contains(";"+names+";", ";"+must+";") {
			return must + " is not signed"
		}
	}
	// The form was parsed from the body; encoded again it has the same order.
	request := strings.Join([]string{r.Method, r.URL.EscapedPath(), "", headers.String(), names, digest(r.PostForm.Encode())}, "\n")
	scope := at.Format("20060102") + "/" + t.region + "/ec2/aws4_request"
	key := []byte("AWS4" + t.secret)
	for _, part := range strings.Split(scope, "/") {
		key = mac(key, part)
	}
	signature := mac(key, strings.Join([]string{scheme, at.Format("20060102T150405Z"), scope, digest(request)}, "\n"))
	return fmt.Sprintf("%s Credential=%s/%s, SignedHeaders=%s, Signature=%x", scheme, t.id, scope, names, signature)
}

func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

func mac(key []byte, s string) []byte {
	m := hmac.New(sha256.New, key)
	m.Write([]byte(s))
	return m.Sum(nil)
}
