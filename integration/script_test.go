package integration_test

import (
	"bufio"
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"reveille/integration/fakeimds"
)

// binDir holds the commands as they are released: static and stripped.
var binDir string

func TestMain(m *testing.M) { os.Exit(withCommands(m)) }

func withCommands(m *testing.M) int {
	dir, err := os.MkdirTemp("", "reveille-bin-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	binDir = dir
	for _, what := range [][]string{{"-tags", "nethttpomithttp2", "-gcflags=reveille/...=-l", "reveille/cmd/reveille"}, {"reveille/cmd/reveille-coordinator"}} { // as the Makefile does
		build := exec.Command("go", append([]string{"build", "-trimpath", "-ldflags", "-s -w -X main.version=1.2.3-test", "-o", dir + "/"}, what...)...)
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "build the commands: %v\n%s", err, out)
			return 1
		}
	}
	return m.Run()
}

// TestCases runs every script of cases/: what a user types, and what comes of it.
func TestCases(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "cases",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("PATH", binDir+string(os.PathListSeparator)+os.Getenv("PATH"))
			// Nothing of the developer's own environment steers a case.
			e.Setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:1")
			e.Values["imds"] = &service{}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"machine":     cmdMachine,
			"imds":        cmdIMDS,
			"coordinator": cmdCoordinator,
			"get":         cmdGet,
			"tree":        cmdTree,
		},
	})
}

// cmdMachine makes a folder that stands in for a fresh machine:
//
//	machine DIR [debian|rhel] [INSTANCE-ID]
func cmdMachine(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) == 0 {
		ts.Fatalf("usage: machine DIR [debian|rhel] [INSTANCE-ID]")
	}
	family, id := "debian", ""
	if len(args) > 1 {
		family = args[1]
	}
	if len(args) > 2 {
		id = args[2]
	}
	ts.Check(os.CopyFS(ts.MkAbs(args[0]), os.DirFS(filepath.Join(caseDir(), "testdata", "machines", family))))
	if id != "" {
		path := filepath.Join(ts.MkAbs(args[0]), "sys/class/dmi/id/board_asset_tag")
		ts.Check(os.MkdirAll(filepath.Dir(path), 0o755))
		ts.Check(os.WriteFile(path, []byte(id+"\n"), 0o644))
	}
}

func caseDir() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Dir(file)
}

// service is a case's metadata service, if it has one now.
type service struct{ running *fakeimds.Running }

func (s *service) stop() {
	if s.running != nil {
		s.running.Close()
	}
	s.running = nil
}

// cmdIMDS starts a metadata service and points the environment at it, in place
// of the one before. Each word is KEY=VALUE:
//
//	imds fault=NAME id=… zone=… private=… groups=a,b tag:KEY=VALUE userdata=FILE bare ipv6only
//
// bare begins with an instance that has no tags, groups or user-data, ipv6only
// with one that has no IPv4 address; "imds off" leaves nobody to answer.
func cmdIMDS(ts *testscript.TestScript, _ bool, args []string) {
	now := ts.Value("imds").(*service)
	now.stop()
	if len(args) == 1 && args[0] == "off" {
		return
	}
	instance, fault := imdsWords(ts, fakeimds.Example(), args)
	running, err := fakeimds.Open("127.0.0.1:0", instance, fault)
	ts.Check(err)
	now.running = running
	ts.Defer(now.stop)
	ts.Setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", running.URL)
}

// imdsWords is an instance, changed by the words of an imds line, and its fault.
func imdsWords(ts *testscript.TestScript, instance fakeimds.Instance, args []string) (fakeimds.Instance, fakeimds.Fault) {
	fault := fakeimds.Fault{}
	for _, arg := range args {
		key, value, _ := strings.Cut(arg, "=")
		switch {
		case key == "bare":
			instance.Tags, instance.SecurityGroups, instance.UserData = nil, nil, nil
		case key == "ipv6only":
			instance = fakeimds.IPv6Only()
		case key == "fault":
			f, ok := fakeimds.ByName(value)
			if !ok {
				ts.Fatalf("no fault is called %q", value)
			}
			fault = f
		case strings.HasPrefix(key, "tag:"):
			if instance.Tags == nil {
				instance.Tags = map[string]string{}
			}
			instance.Tags[strings.TrimPrefix(key, "tag:")] = value
		case key == "userdata":
			instance.UserData = []byte(ts.ReadFile(value))
		default:
			field, ok := map[string]*string{
				"id": &instance.ID, "zone": &instance.Zone, "region": &instance.Region, "private": &instance.PrivateIP, "hostname": &instance.Hostname,
			}[key]
			if key == "groups" {
				instance.SecurityGroups = strings.Split(value, ",")
			} else if ok {
				*field = value
			} else {
				ts.Fatalf("imds: unknown word %q", arg)
			}
		}
	}
	return instance, fault
}

// cmdCoordinator starts one on loopback and puts its base URL into $COORDINATOR:
//
//	coordinator DATA-DIR
func cmdCoordinator(ts *testscript.TestScript, _ bool, args []string) {
	cmd := exec.Command(filepath.Join(binDir, "reveille-coordinator"), "serve", "--listen", "127.0.0.1:0", "--store", "bolt:"+ts.MkAbs(args[0]))
	log := &strings.Builder{}
	cmd.Stderr = log
	out, err := cmd.StdoutPipe()
	ts.Check(err)
	ts.Check(cmd.Start())
	ts.Defer(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
	})
	// The port is the kernel's choice: one that was free a moment ago may be another case's.
	line, err := bufio.NewReader(out).ReadString('\n')
	url, ok := strings.CutPrefix(strings.TrimSpace(line), "listening on ")
	if !ok {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		ts.Fatalf("the coordinator says %q, %v\n%s", line, err, log)
	}
	ts.Setenv("COORDINATOR", url)
}

// cmdGet writes an HTTP answer's status and body to a file:
//
//	get URL FILE
func cmdGet(ts *testscript.TestScript, _ bool, args []string) {
	resp, err := http.Get(args[0])
	ts.Check(err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), fmt.Appendf(nil, "%s\n%s", resp.Status, body), 0o644))
}

// cmdTree writes what is below a folder, a line each with mode, target or
// digest, to a file, so that before and after can be compared. Runtime state
// below run/ is left out, and with "etc" everything that is not below etc/.
//
//	tree DIR FILE [etc]
func cmdTree(ts *testscript.TestScript, _ bool, args []string) {
	var b strings.Builder
	root := ts.MkAbs(args[0])
	ts.Check(filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(root, path)
		top, _, _ := strings.Cut(rel, string(filepath.Separator))
		if rel == "." || top == "run" || len(args) > 2 && top != args[2] {
			return nil
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		what := ""
		switch {
		case info.Mode()&fs.ModeSymlink != 0:
			what, err = os.Readlink(path)
		case info.Mode().IsRegular():
			var data []byte
			data, err = os.ReadFile(path)
			what = fmt.Sprintf("%x %s", sha256.Sum256(data), info.ModTime().Format(time.RFC3339Nano))
			if len(args) > 2 {
				what = fmt.Sprintf("%x", sha256.Sum256(data))
			}
		}
		fmt.Fprintf(&b, "%s %s %s\n", info.Mode(), rel, what)
		return err
	}))
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(b.String()), 0o644))
}
