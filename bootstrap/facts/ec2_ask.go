package facts

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// maxPage bounds one answer of EC2's, in bytes. The most volumes that an
// instance can have, each with the most and longest tags, come to less.
const maxPage = 8 << 20

// clockSlack is how far apart two clocks may be for EC2 to take a signature.
const clockSlack = 5 * time.Minute

// ec2 asks the API by its query protocol. The SDK's own client of it is a
// package of several hundred operations for the one that is wanted here: 96
// seconds of a processor to compile, for each way of building.
type ec2 struct {
	endpoint, region string
	who              role
	web              *http.Client
	signer           *v4.Signer
	retry            aws.Retryer
	each             time.Duration
	now              func() time.Time
	ahead            time.Duration // EC2's clock before ours, once that is known to matter
}

func newEC2(endpoint, region string, own bool, who role, o Options) *ec2 {
	t := o.api.tuning
	d := &ec2Dialer{names: o.api.names, own: own}
	d.Timeout = t.dial
	return &ec2{
		endpoint: endpoint, region: region, who: who,
		signer: v4.NewSigner(), retry: retryer(t), each: t.whole, now: o.Now,
		web: &http.Client{
			Transport: &http.Transport{
				Proxy:              nil, // as with IMDS: no proxy sees a token
				DialContext:        d.DialContext,
				TLSClientConfig:    o.api.tls,
				DisableCompression: true,
			},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

// ask puts a question until there is an answer, or an error that is final.
func (e *ec2) ask(ctx context.Context, form url.Values) ([]byte, error) {
	for n := 1; ; n++ {
		body, err := e.once(ctx, form)
		if err == nil || n == e.retry.MaxAttempts() || !e.retry.IsErrorRetryable(err) {
			return body, tried(err, n)
		}
		wait, noWait := e.retry.RetryDelay(n, err)
		if noWait != nil {
			return nil, tried(err, n)
		}
		t := time.NewTimer(wait)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return nil, tried(err, n) // what EC2 said last says more than that time is up
		}
	}
}

// once makes one signed request.
func (e *ec2) once(ctx context.Context, form url.Values) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, e.each)
	defer cancel()
	text := form.Encode()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, e.endpoint+"/", strings.NewReader(text))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	r.Header.Set("User-Agent", "reveille")
	sum := sha256.Sum256([]byte(text))
	at := e.now().Add(e.ahead)
	if err := e.signer.SignHTTP(ctx, e.who.proof, r, hex.EncodeToString(sum[:]), "ec2", e.region, at); err != nil {
		return nil, errors.New("the question could not be signed") // whatever it quotes
	}
	resp, err := e.web.Do(r)
	if err != nil {
		return nil, &refused{err: err}
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxPage+1))
	switch {
	case err != nil:
		return nil, &refused{status: resp.StatusCode, err: err}
	case len(body) > maxPage:
		return nil, &refused{status: resp.StatusCode, err: errTooLarge}
	case resp.StatusCode == http.StatusOK:
		return body, nil
	}
	return nil, e.otherClock(&refused{status: resp.StatusCode, code: codeOf(body)}, resp.Header, at)
}

// otherClock looks whether a refusal is about the time. A machine that has just
// been started may not know it yet; then EC2's own is taken, and it is asked
// again.
func (e *ec2) otherClock(r *refused, h http.Header, signed time.Time) error {
	theirs, err := http.ParseTime(h.Get("Date"))
	if err != nil || r.status >= http.StatusInternalServerError {
		return r
	}
	if off := theirs.Sub(signed); off.Abs() > clockSlack {
		e.ahead += off
		return &untimely{r}
	}
	return r
}

// untimely is a refusal that another time may turn.
type untimely struct{ *refused }

// RetryableError is what the SDK's retryer asks for.
func (*untimely) RetryableError() bool { return true }

func (e *untimely) Unwrap() error { return e.refused }
