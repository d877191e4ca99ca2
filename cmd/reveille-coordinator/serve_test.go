package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"reveille/coordinator/api"
)

// process is a coordinator of its own, on a port that the kernel chose.
type process struct {
	*testing.T
	cmd    *exec.Cmd
	url    string
	stderr *bytes.Buffer
}

func start(t *testing.T, dir string) *process {
	t.Helper()
	cmd := exec.Command(os.Args[0], "serve", "--listen", "127.0.0.1:0", "--store", "bolt:"+dir)
	cmd.Env = append(os.Environ(), "REVEILLE_COORDINATOR_TEST=main")
	p := &process{T: t, cmd: cmd, stderr: &bytes.Buffer{}}
	cmd.Stderr = p.stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		_ = cmd.Wait()
		t.Fatalf("it did not come up: %v\n%s", err, p.stderr)
	}
	p.url = strings.TrimSpace(strings.TrimPrefix(line, "listening on "))
	return p
}

// end sends a signal and waits for the exit code, -1 for a signal's death.
func (p *process) end(sig syscall.Signal) int {
	p.Helper()
	if err := p.cmd.Process.Signal(sig); err != nil {
		p.Fatal(err)
	}
	_ = p.cmd.Wait()
	return p.cmd.ProcessState.ExitCode()
}

func (p *process) client() *api.Client {
	p.Helper()
	c, err := api.NewClient(p.url, api.ClientOptions{})
	if err != nil {
		p.Fatal(err)
	}
	p.Cleanup(c.Close)
	return c
}

// has says whether the coordinator holds an instance with this boot id.
func (p *process) has(id, boot string) bool {
	p.Helper()
	res, err := http.Get(p.url + "/v1/instances/" + id)
	if err != nil {
		p.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		p.Fatal(err)
	}
	return res.StatusCode == 200 && bytes.Contains(body, fmt.Appendf(nil, `"boot_id":%q`, boot))
}

func report(id, boot string) api.Report {
	return api.Report{Version: api.Version, InstanceID: id, BootID: boot, State: api.Ready, Role: "mysql"}
}

func TestReportsOutliveARestart(t *testing.T) {
	dir := t.TempDir() + "/new/data"
	p := start(t, dir)
	for i := range 5 {
		if err := p.client().Send(t.Context(), report(fmt.Sprintf("i-%d", i), "b")); err != nil {
			t.Fatal(err)
		}
	}
	if code := p.end(syscall.SIGTERM); code != 0 {
		t.Fatalf("SIGTERM: exit %d\n%s", code, p.stderr)
	}
	if !strings.Contains(p.stderr.String(), "msg=stopped") {
		t.Errorf("its end is not in the log:\n%s", p.stderr)
	}
	p = start(t, dir)
	for i := range 5 {
		if !p.has(fmt.Sprintf("i-%d", i), "b") {
			t.Errorf("i-%d is gone", i)
		}
	}
	if code := p.end(syscall.SIGINT); code != 0 {
		t.Errorf("SIGINT: exit %d", code)
	}
}

// Only one coordinator at a time, and the second says so.
func TestSecondOnOneStore(t *testing.T) {
	dir := t.TempDir()
	start(t, dir)
	var stdout, stderr bytes.Buffer
	code := run(t.Context(), []string{"serve", "--listen", "127.0.0.1:0", "--store", "bolt:" + dir}, &stdout, &stderr)
	if code != 1 || !strings.Contains(stderr.String(), "another coordinator has it open") || stdout.Len() > 0 {
		t.Errorf("exit %d\n%s%s", code, &stdout, &stderr)
	}
}

// Killed while reports stream in, again and again: what was acknowledged is
// there, each time.
func TestKilledUnderPuts(t *testing.T) {
	dir := t.TempDir()
	const rounds, writers = 5, 8
	acked := map[string]string{} // instance id → the newest boot id that was acknowledged
	maybe := map[string]string{} // sent when the kill came: may be there or not
	for round := range rounds {
		p := start(t, dir)
		for id, boot := range acked {
			if !p.has(id, boot) && (maybe[id] == "" || !p.has(id, maybe[id])) {
				t.Errorf("round %d: the report %s of %s was acknowledged and is gone", round, boot, id)
			}
		}
		clear(maybe)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		enough := make(chan struct{}, 10_000)
		var mu sync.Mutex
		var wg sync.WaitGroup
		for w := range writers {
			c := p.client()
			wg.Go(func() {
				for n := 0; ; n++ {
					id, boot := fmt.Sprintf("i-%d-%d", w, n%3), fmt.Sprintf("%d.%d", round, n)
					err := c.Send(ctx, report(id, boot))
					mu.Lock()
					if err != nil {
						maybe[id] = boot
						mu.Unlock()
						return
					}
					acked[id] = boot
					mu.Unlock()
					enough <- struct{}{}
				}
			})
		}
		for range 50 * (round + 1) {
			select {
			case <-enough:
			case <-ctx.Done():
				t.Fatal("no reports are taken")
			}
		}
		p.end(syscall.SIGKILL)
		wg.Wait()
		cancel()
	}
	if len(acked) != 3*writers {
		t.Errorf("only %d instances reported", len(acked))
	}
	p := start(t, dir)
	for id, boot := range acked {
		if !p.has(id, boot) && (maybe[id] == "" || !p.has(id, maybe[id])) {
			t.Errorf("at the end: the report %s of %s was acknowledged and is gone", boot, id)
		}
	}
}
