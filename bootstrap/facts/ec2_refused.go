package facts

import (
	"encoding/xml"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
)

// refused is a request that EC2 did not answer. Of what it said the code alone
// is kept: its messages can quote the request that it was sent, token included.
type refused struct {
	status int    // 0: no answer began
	code   string // "UnauthorizedOperation"; "" where it gave none
	err    error  // what went wrong below HTTP; nil where nothing did
	tries  int
}

func (e *refused) Error() string {
	_, what := e.reason()
	return what
}

func (e *refused) Unwrap() error { return e.err }

// HTTPStatusCode and ErrorCode are what the SDK's retryer decides by.
func (e *refused) HTTPStatusCode() int { return e.status }

// ErrorCode is EC2's name for what is wrong.
func (e *refused) ErrorCode() string { return e.code }

// tried notes how often it was asked.
func tried(err error, n int) error {
	var r *refused
	if errors.As(err, &r) {
		r.tries = n
	}
	return err
}

// reason names it in our words.
func (e *refused) reason() (Reason, string) {
	r, what := e.named()
	if e.tries > 1 {
		what += fmt.Sprintf(" (%d requests)", e.tries)
	}
	return r, what
}

func (e *refused) named() (Reason, string) {
	if e.err != nil {
		var dns *net.DNSError
		if errors.As(e.err, &dns) {
			return NoName, "no name server tells the address of " + dns.Name
		}
		return broken(e.err, e.status)
	}
	what := strings.TrimSpace(fmt.Sprintf("answered %d %s", e.status, e.code))
	_, throttled := retry.DefaultThrottleErrorCodes[e.code]
	switch {
	case throttled || e.status == http.StatusTooManyRequests:
		return Throttled, what
	case e.code == "UnauthorizedOperation":
		return Forbidden, what + ": the instance's role does not have the permission " + VolumesPath
	case e.code == "RequestExpired":
		return Unauthorized, what + ": the clock of this machine is wrong"
	case e.status == http.StatusUnauthorized, e.status == http.StatusForbidden:
		return Forbidden, what + ": it does not take the credentials of the instance's role for " + VolumesPath
	case e.status >= http.StatusInternalServerError:
		return ServerError, what
	}
	return Malformed, what
}

// ec2Reason is the reason of any error of asking EC2.
func ec2Reason(err error) (Reason, string) {
	var u *unasked
	var r *refused
	switch {
	case errors.As(err, &u):
		return u.reason, u.detail
	case errors.As(err, &r):
		return r.reason()
	}
	return Malformed, err.Error()
}

var errorCode = matching("", alphanumeric+".", 64, "error code")

// codeOf is the code in an error's document, "" where there is none.
func codeOf(body []byte) string {
	var d struct {
		Code string `xml:"Errors>Error>Code"`
	}
	if xml.Unmarshal(body, &d) != nil {
		return ""
	}
	code, err := errorCode(d.Code)
	if err != nil {
		return ""
	}
	return code
}
