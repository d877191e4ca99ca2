package facts

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/vishvananda/netlink"

	"reveille/bootstrap/host"
	"reveille/integration/fakeec2"
	"reveille/integration/fakeimds"
)

// The scenarios with EC2's own addresses need a network of their own: the
// test binary runs itself again in a new namespace, told by this variable.
const childEnv = "REVEILLE_FACTS_NAMESPACE"

// childTask is what the variable holds, as JSON.
type childTask struct {
	Scenario, Root string
	Shorter        int // times are divided by so much
}

// childResult is what the child prints, as JSON.
type childResult struct {
	Facts    Facts
	Took     time.Duration // of the crawl
	Findings []Finding
	Proxied  int32 // connections that the proxy saw from the crawl
	Control  int32 // … and from a client that heeds HTTP_PROXY
}

// inNamespace runs a scenario in a namespace of its own.
func inNamespace(t *testing.T, task childTask, env ...string) childResult {
	t.Helper()
	b, err := json.Marshal(task)
	if err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(append(os.Environ(), env...), childEnv+"="+string(b))
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	if os.Geteuid() != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}
	}
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := cmd.Start(); errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EINVAL) {
		t.Skipf("no network namespace can be made here: %v", err)
	} else if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("scenario %s: %v\n%s", task.Scenario, err, said.String())
	}
	var r childResult
	if err := json.Unmarshal(out.Bytes(), &r); err != nil {
		t.Fatalf("scenario %s: %v\n%s", task.Scenario, err, out.String())
	}
	return r
}

func gatherInNamespace(t *testing.T, scenario string, tune tuning, h *host.Host) (Facts, time.Duration) {
	t.Helper()
	r := inNamespace(t, childTask{scenario, h.Root(), int(defaultTuning.dial / tune.dial)})
	if scenario == "http-proxy" && (r.Proxied != 0 || r.Control == 0) {
		t.Errorf("the proxy saw %d connections of the crawl, %d of a client that heeds it", r.Proxied, r.Control)
	}
	if scenario == "http-proxy" && !r.Facts.Volumes.IsKnown() {
		t.Errorf("EC2 was not reached past the proxy: %v", r.Facts.Problems)
	}
	if scenario == "no-route" {
		for _, f := range r.Findings {
			if f.Code != "imds-no-route" {
				t.Errorf("finding %+v, want imds-no-route", f)
			}
		}
	}
	return r.Facts, r.Took
}

// child plays a scenario and prints its result. It is what TestMain runs
// where childEnv is set.
func child() error {
	var task childTask
	if err := json.Unmarshal([]byte(os.Getenv(childEnv)), &task); err != nil {
		return err
	}
	var addrs []string
	switch task.Scenario {
	case "http-proxy":
		addrs = []string{"169.254.169.254/32"}
	case "ipv6-only":
		addrs = []string{"fd00:ec2::254/128"}
	}
	if err := network(addrs); err != nil {
		return err
	}
	for _, a := range addrs {
		ip, _, _ := strings.Cut(a, "/")
		r, err := fakeimds.Open(net.JoinHostPort(ip, "80"), fakeimds.Example(), fakeimds.Fault{})
		if err != nil {
			return err
		}
		defer r.Close()
	}
	res, err := play(task)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(res)
}

func play(task childTask) (childResult, error) {
	var res childResult
	proxy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return res, err
	}
	defer proxy.Close()
	var saw atomic.Int32
	go func() {
		for {
			c, err := proxy.Accept()
			if err != nil {
				return
			}
			saw.Add(1)
			c.Close()
		}
	}()
	if task.Scenario == "http-proxy" {
		for _, name := range []string{"HTTP_PROXY", "http_proxy"} {
			if err := os.Setenv(name, "http://"+proxy.Addr().String()); err != nil {
				return res, err
			}
		}
	}
	h, err := host.New(host.Options{Root: task.Root})
	if err != nil {
		return res, err
	}
	o := Options{Now: clock, tuning: shorter(task.Shorter), disks: disksAre()}
	if task.Scenario == "http-proxy" {
		l, err := net.Listen("tcp", "169.254.169.254:8000")
		if err != nil {
			return res, err
		}
		ec2 := &http.Server{Handler: &fakeec2.Server{}, ReadHeaderTimeout: 10 * time.Second}
		go func() { _ = ec2.Serve(l) }()
		defer ec2.Close()
		o.Volumes, o.disks = true, disksAre(dataDisk)
		o.Getenv = func(k string) string { return map[string]string{envEC2: "http://" + l.Addr().String()}[k] }
	}
	start := time.Now()
	res.Facts = gatherVolumes(context.Background(), h, o)
	res.Took = time.Since(start)
	res.Proxied = saw.Load()
	res.Findings = Diagnose(context.Background(), o)
	if task.Scenario == "http-proxy" {
		resp, err := http.Get(IPv4Endpoint)
		if err == nil {
			resp.Body.Close()
			return res, fmt.Errorf("the control client went past the proxy: %s", resp.Status)
		}
		res.Control = saw.Load()
	}
	return res, nil
}

// network brings up loopback with these addresses.
func network(addrs []string) error {
	lo, err := netlink.LinkByName("lo")
	if err != nil {
		return fmt.Errorf("find lo: %w", err)
	}
	if err := netlink.LinkSetUp(lo); err != nil {
		return fmt.Errorf("bring up lo: %w", err)
	}
	for _, s := range addrs {
		a, err := netlink.ParseAddr(s)
		if err != nil {
			return err
		}
		a.Flags = syscall.IFA_F_NODAD // else an IPv6 address is tentative for a while
		if err := netlink.AddrAdd(lo, a); err != nil {
			return fmt.Errorf("add %s to lo: %w", s, err)
		}
	}
	return nil
}
