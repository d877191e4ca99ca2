// Package fakeec2 is as much of the EC2 API as an instance asks: DescribeVolumes
// over its query protocol, with the errors of bad days. Like fakeimds it knows
// the service's documentation and no client.
package fakeec2

import (
	"cmp"
	"encoding/xml"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Volume is an EBS volume and where it is attached.
type Volume struct {
	ID, SnapshotID   string
	Instance, Device string // "" where it is attached to none
	Shared           string // another instance that it is attached to, as sdz
	GiB              int
	Created          time.Time
	Tags             map[string]string
}

// Server is the API. Its zero value is an account without volumes.
type Server struct {
	mu      sync.Mutex
	volumes []Volume
	fault   string
	asked   []url.Values
	trusted *trusted
	page    int // volumes an answer; 0 is all
	now     func() time.Time
}

// Set changes the account's volumes.
func (s *Server) Set(volumes ...Volume) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.volumes = slices.Clone(volumes)
}

// Fail lets every request from now on fail in one of the ways of Faults.
func (s *Server) Fail(fault string) error {
	if _, ok := Faults[fault]; !ok {
		return fmt.Errorf("the EC2 API has no fault %q", fault)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault = fault
	return nil
}

// Page lets an answer hold so many volumes and no more.
func (s *Server) Page(volumes int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.page = volumes
}

// Requests are the parameters of those that arrived, in order.
func (s *Server) Requests() []url.Values {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.asked)
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		fail(w, http.StatusBadRequest, "InvalidRequest", "The request received was invalid.")
		return
	}
	s.mu.Lock()
	s.asked = append(s.asked, r.Form)
	fault, volumes, page, n := s.fault, s.volumes, s.page, len(s.asked)
	now := s.time()
	s.mu.Unlock()
	w.Header().Set("Date", now.UTC().Format(http.TimeFormat))
	if bad(w, r, fault, n) {
		return
	}
	if code, say := s.admit(r, now); code != "" {
		fail(w, http.StatusUnauthorized, code, say)
		return
	}
	if r.Form.Get("Action") != "DescribeVolumes" {
		fail(w, http.StatusBadRequest, "InvalidAction", "The action "+r.Form.Get("Action")+" is not valid for this web service.")
		return
	}
	body := describe(volumes, r.Form, page)
	if fault == "broken" {
		w.Header().Set("Content-Length", fmt.Sprint(len(body)))
		body = body[:len(body)/2]
	}
	w.Header().Set("Content-Type", "text/xml;charset=UTF-8")
	_, _ = w.Write(body)
}

// describe is the answer: the volumes that every filter lets through.
// NextToken is how many have been told before.
func describe(volumes []Volume, form url.Values, page int) []byte {
	answer := describeVolumes{RequestID: "00000000-0000-4000-8000-000000000000"}
	for _, v := range volumes {
		if listed(form, "VolumeId", v.ID) && filtered(form, v) {
			answer.Volumes = append(answer.Volumes, v.xml())
		}
	}
	told, _ := strconv.Atoi(form.Get("NextToken"))
	answer.Volumes = answer.Volumes[min(max(told, 0), len(answer.Volumes)):]
	if page > 0 && len(answer.Volumes) > page {
		answer.Volumes, answer.Next = answer.Volumes[:page], strconv.Itoa(told+page)
	}
	b, err := xml.Marshal(answer)
	if err != nil { // strings and numbers always marshal
		panic(fmt.Sprintf("describe volumes: %v", err))
	}
	return append([]byte(xml.Header), b...)
}

// listed tells whether NAME.1, NAME.2 … are absent or have the value.
func listed(form url.Values, name, value string) bool {
	for n := 1; ; n++ {
		v, ok := form[fmt.Sprintf("%s.%d", name, n)]
		if !ok {
			return n == 1
		}
		if v[0] == value {
			return true
		}
	}
}

// filtered applies Filter.N.Name, of those that an instance has use for.
func filtered(form url.Values, v Volume) bool {
	for n := 1; ; n++ {
		name := form.Get(fmt.Sprintf("Filter.%d.Name", n))
		value := map[string]string{"attachment.instance-id": v.Instance, "attachment.device": v.Device, "volume-id": v.ID}[name]
		if tag, ok := strings.CutPrefix(name, "tag:"); ok {
			value = v.Tags[tag]
		}
		switch {
		case name == "":
			return true
		case value == "", !listed(form, fmt.Sprintf("Filter.%d.Value", n), value):
			return false
		}
	}
}

type describeVolumes struct {
	XMLName   xml.Name    `xml:"http://ec2.amazonaws.com/doc/2016-11-15/ DescribeVolumesResponse"`
	RequestID string      `xml:"requestId"`
	Volumes   []volumeXML `xml:"volumeSet>item"`
	Next      string      `xml:"nextToken,omitempty"`
}

type volumeXML struct {
	ID          string          `xml:"volumeId"`
	GiB         int             `xml:"size"`
	SnapshotID  string          `xml:"snapshotId"`
	Status      string          `xml:"status"`
	Created     string          `xml:"createTime"`
	Attachments []attachmentXML `xml:"attachmentSet>item"`
	Tags        []tagXML        `xml:"tagSet>item"`
}

type attachmentXML struct {
	Volume   string `xml:"volumeId"`
	Instance string `xml:"instanceId"`
	Device   string `xml:"device"`
	Status   string `xml:"status"`
}

type tagXML struct {
	Key   string `xml:"key"`
	Value string `xml:"value"`
}

func (v Volume) xml() volumeXML {
	x := volumeXML{ID: v.ID, GiB: v.GiB, SnapshotID: v.SnapshotID, Status: "available", Created: v.Created.UTC().Format("2006-01-02T15:04:05.000Z")}
	if v.Instance != "" {
		x.Status = "in-use"
		x.Attachments = []attachmentXML{{v.ID, v.Instance, v.Device, "attached"}}
	}
	if v.Shared != "" {
		x.Attachments = append(x.Attachments, attachmentXML{v.ID, v.Shared, "/dev/sdz", "attached"})
	}
	for k, value := range v.Tags {
		x.Tags = append(x.Tags, tagXML{k, value})
	}
	slices.SortFunc(x.Tags, func(a, b tagXML) int { return cmp.Compare(a.Key, b.Key) })
	return x
}

// fail answers as the service does.
func fail(w http.ResponseWriter, code int, name, say string) {
	w.Header().Set("Content-Type", "text/xml;charset=UTF-8")
	w.WriteHeader(code)
	fmt.Fprintf(w, "%s<Response><Errors><Error><Code>%s</Code><Message>%s</Message></Error></Errors><RequestID>0</RequestID></Response>", xml.Header, name, say)
}
