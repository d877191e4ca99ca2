package fakeec2

import (
	"fmt"
	"net/http"
	"strings"
)

// Faults are the names that Fail takes, and what they do.
var Faults = map[string]string{
	"":             "healthy",
	"throttled":    "every request is over the account's limit",
	"throttled-x2": "two requests are over the account's limit, then healthy",
	"unauthorized": "the instance's role may not ask",
	"auth-failure": "the role's credentials are not taken",
	"expired":      "every request is told to be too old",
	"unavailable":  "503 to every request",
	"internal-x2":  "two 500s, then healthy",
	"silent":       "accepts requests and never answers",
	"broken":       "the answer ends in the middle",
	"hangs-up":     "hangs up before it answers",
	"garbage":      "a web page instead of the answer",
	"torn":         "XML that ends in the middle",
	"endless":      "after every page there is another",
	"huge":         "the answer has 64 MiB",
	"redirect":     "every request is sent elsewhere",
	"talks":        "an error that quotes what it was sent",
}

// bad answers as a fault does; false leaves it to the healthy service. The
// request is the nth that arrived.
func bad(w http.ResponseWriter, r *http.Request, fault string, n int) bool {
	switch fault {
	case "silent":
		<-r.Context().Done()
	case "throttled":
		fail(w, http.StatusServiceUnavailable, "RequestLimitExceeded", "Request limit exceeded.")
	case "throttled-x2":
		if n > 2 {
			return false
		}
		fail(w, http.StatusServiceUnavailable, "RequestLimitExceeded", "Request limit exceeded.")
	case "auth-failure":
		fail(w, http.StatusUnauthorized, "AuthFailure", "AWS was not able to validate the provided access credentials")
	case "expired":
		fail(w, http.StatusBadRequest, "RequestExpired", "Request has expired.")
	case "unavailable":
		fail(w, http.StatusServiceUnavailable, "Unavailable", "The service is unavailable. Please try again shortly.")
	case "internal-x2":
		if n > 2 {
			return false
		}
		fail(w, http.StatusInternalServerError, "InternalError", "An internal error has occurred")
	case "hangs-up":
		panic(http.ErrAbortHandler)
	case "redirect":
		http.Redirect(w, r, "http://192.0.2.1/", http.StatusTemporaryRedirect)
	case "talks":
		fail(w, http.StatusForbidden, "SignatureDoesNotMatch", "The string to sign was: "+r.Header.Get("Authorization")+r.Header.Get("X-Amz-Security-Token"))
	default:
		return signed(r) && badAnswer(w, fault, n)
	}
	return true
}

func signed(r *http.Request) bool {
	return strings.HasPrefix(r.Header.Get("Authorization"), scheme+" ")
}

// badAnswer is of those faults that need somebody who may ask.
func badAnswer(w http.ResponseWriter, fault string, n int) bool {
	const open = `<DescribeVolumesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">`
	switch fault {
	case "unauthorized":
		fail(w, http.StatusForbidden, "UnauthorizedOperation", "You are not authorized to perform this operation.")
	case "garbage":
		fmt.Fprint(w, "<!DOCTYPE html>\n<html><body>Please sign in.</body></html>\n")
	case "torn":
		fmt.Fprint(w, open+"<volumeSet><item><volumeId>vol-0")
	case "endless":
		fmt.Fprintf(w, "%s<volumeSet/><nextToken>%d</nextToken></DescribeVolumesResponse>", open, n)
	case "huge":
		block := strings.Repeat("x", 64<<10)
		for range 1 << 10 {
			if _, err := fmt.Fprint(w, block); err != nil {
				return true // the client has had enough
			}
		}
	default:
		return false
	}
	return true
}
