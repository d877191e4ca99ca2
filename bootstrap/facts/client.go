package facts

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	"github.com/aws/smithy-go/logging"
)

// client asks one IMDS endpoint. Close it.
type client struct {
	endpoint string
	api      *imds.Client
	wire     *caller
}

func newClient(endpoint string, o Options, onFail func()) *client {
	w := newCaller(o.tuning, onFail)
	fallback := aws.FalseTernary // else a token that fails becomes version 1 in silence
	if o.AllowV1 {
		fallback = aws.TrueTernary
	}
	return &client{endpoint: endpoint, wire: w, api: imds.New(imds.Options{
		Endpoint:                 endpoint,
		HTTPClient:               w,
		Retryer:                  retryer(o.tuning),
		Logger:                   logging.Nop{},
		EnableFallback:           fallback,
		ClientEnableState:        imds.ClientEnabled, // or the process's environment would be read
		DisableDefaultMaxBackoff: true,
	})}
}

func (c *client) close() { c.wire.close() }

// retryer tries again what may pass: no answer, half an answer, throttling
// and server errors. The rate limiter is off, else the 51st failing call of
// a process would get one attempt only.
func retryer(t tuning) aws.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = t.attempts
		o.MaxBackoff = t.backoff
		o.Backoff = retry.NewExponentialJitterBackoff(t.backoff)
		o.RateLimiter = ratelimit.None
		o.Retryables = append(o.Retryables,
			retry.RetryableHTTPStatusCode{Codes: map[int]struct{}{http.StatusTooManyRequests: {}}},
			retry.IsErrorRetryableFunc(func(err error) aws.Ternary {
				if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
					return aws.TrueTernary
				}
				return aws.UnknownTernary
			}))
	})
}

// answer is the end of one question: a body, or absent, or a reason.
type answer struct {
	body   string
	absent bool
	reason Reason // "" where there is an answer
	detail string
	token  bool // asking for a token was the last that was done
	naked  bool // by version 1
	took   time.Duration
}

// get asks for a path below the version: "meta-data/instance-id".
func (c *client) get(ctx context.Context, path string) answer {
	if ctx.Err() != nil {
		return answer{reason: TimedOut, detail: "no time was left to ask"}
	}
	e := &exchange{}
	ctx = context.WithValue(ctx, exchangeKey{}, e)
	start := time.Now()
	body, err := c.read(ctx, path)
	e.mu.Lock()
	defer e.mu.Unlock()
	a := judge(e, err)
	a.body, a.naked, a.took = string(body), e.naked, time.Since(start)
	a.token = e.method == http.MethodPut
	return a
}

// read asks by the operation that the path belongs to.
func (c *client) read(ctx context.Context, path string) ([]byte, error) {
	var body io.ReadCloser
	switch top, rest, _ := strings.Cut(path, "/"); top {
	case "meta-data":
		out, err := c.api.GetMetadata(ctx, &imds.GetMetadataInput{Path: rest})
		if err != nil {
			return nil, err
		}
		body = out.Content
	case "dynamic":
		out, err := c.api.GetDynamicData(ctx, &imds.GetDynamicDataInput{Path: rest})
		if err != nil {
			return nil, err
		}
		body = out.Content
	case "user-data":
		out, err := c.api.GetUserData(ctx, &imds.GetUserDataInput{})
		if err != nil {
			return nil, err
		}
		body = out.Content
	default:
		return nil, fmt.Errorf("no operation reads %s", path)
	}
	b, err := io.ReadAll(body)
	return b, errors.Join(err, body.Close())
}
