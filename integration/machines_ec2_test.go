package integration_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"reveille/integration/fakeec2"
	"reveille/integration/guest"
)

// ec2API is where the machine finds it: AWS_ENDPOINT_URL_EC2=http://10.0.0.1:8000
const ec2API = guest.Gateway + ":8000"

// ec2 is a case's EC2 API, there from the first word about it.
type ec2 struct {
	fake    fakeec2.Server
	volumes []fakeec2.Volume
	server  *http.Server
	ended   chan error
}

// wordEC2 says what is in the account: ec2 volume VOLUME-ID NAME [KEY=VALUE…],
// ec2 snapshot VOLUME-ID SNAPSHOT-ID, ec2 shared VOLUME-ID INSTANCE-ID, ec2 fault NAME.
func wordEC2(ts *testscript.TestScript, _ bool, args []string) {
	s := theStage(ts)
	ts.Check(s.ec2.open(s.fabric))
	switch {
	case len(args) >= 3 && args[0] == "volume":
		v := fakeec2.Volume{ID: args[1], Device: args[2], Instance: s.metadata.instance.ID, GiB: 1, Created: time.Now(), Tags: map[string]string{}}
		for _, tag := range args[3:] {
			key, value, _ := strings.Cut(tag, "=")
			v.Tags[key] = value
		}
		same := func(o fakeec2.Volume) bool { return o.ID == v.ID }
		s.ec2.volumes = append(slices.DeleteFunc(s.ec2.volumes, same), v)
		s.ec2.fake.Set(s.ec2.volumes...)
	case len(args) == 3 && (args[0] == "snapshot" || args[0] == "shared"):
		at := slices.IndexFunc(s.ec2.volumes, func(v fakeec2.Volume) bool { return v.ID == args[1] })
		if at < 0 {
			ts.Fatalf("there is no volume %s: ec2 volume comes first", args[1])
		}
		if args[0] == "snapshot" {
			s.ec2.volumes[at].SnapshotID = args[2]
		} else {
			s.ec2.volumes[at].Shared = args[2]
		}
		s.ec2.fake.Set(s.ec2.volumes...)
	case len(args) == 2 && args[0] == "fault":
		ts.Check(s.ec2.fake.Fail(strings.TrimPrefix(args[1], "none")))
	default:
		ts.Fatalf("usage: ec2 volume VOLUME-ID NAME [KEY=VALUE…], ec2 snapshot VOLUME-ID SNAPSHOT-ID, ec2 shared VOLUME-ID INSTANCE-ID, or ec2 fault NAME")
	}
}

func (e *ec2) open(fabric *guest.Fabric) error {
	if e.server != nil {
		return nil
	}
	l, err := fabric.Listen("tcp", ec2API)
	if err != nil {
		return err
	}
	e.server, e.ended = &http.Server{Handler: &e.fake, ReadHeaderTimeout: 10 * time.Second}, make(chan error, 1)
	go func() { e.ended <- e.server.Serve(l) }()
	return nil
}

func (e *ec2) close() error {
	if e.server == nil {
		return nil
	}
	err := e.server.Close()
	if end := <-e.ended; !errors.Is(end, http.ErrServerClosed) {
		err = errors.Join(err, end)
	}
	return err
}
