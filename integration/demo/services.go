package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// demo is the folder, the services and their addresses.
type demo struct {
	bin, root         string
	imds, coordinator string // base URLs
	started           []*exec.Cmd
}

// start makes the user-data and starts what the agent will talk to.
func (d *demo) start(ctx context.Context) error {
	port, err := freePort()
	if err != nil {
		return err
	}
	d.coordinator = "http://127.0.0.1:" + port
	userData, err := d.userData(ctx)
	if err != nil {
		return err
	}
	if err := d.serve(ctx, d.coordinator+"/healthz", "reveille-coordinator", "serve",
		"--listen", "127.0.0.1:"+port, "--store", "bolt:"+filepath.Join(d.root, "coordinator")); err != nil {
		return err
	}
	if port, err = freePort(); err != nil {
		return err
	}
	d.imds = "http://127.0.0.1:" + port
	config := filepath.Join(d.root, "imds.json")
	if err := writeJSON(config, metadata(userData)); err != nil {
		return err
	}
	// Without a subcommand that tool announces a spot termination.
	return d.serve(ctx, d.imds+"/latest/meta-data/", "ec2-metadata-mock", "events", "-n", "127.0.0.1", "-p", port, "-c", config, "--imdsv2")
}

func (d *demo) userData(ctx context.Context) ([]byte, error) {
	ours := filepath.Join(d.root, "ours.yaml")
	text := fmt.Sprintf("#reveille\nrole: mysql\nhostname: dev-mysql01\ncoordinator: {urls: [%q]}\n", d.coordinator)
	if err := os.WriteFile(ours, []byte(text), 0o644); err != nil {
		return nil, err
	}
	parts := "integration/demo/parts/"
	out, err := d.command(ctx, "userdata", "build", parts+"packages.cfg", ours, parts+"startup.sh")
	if err != nil {
		return nil, err
	}
	file := filepath.Join(d.root, "user-data")
	if err := os.WriteFile(file, out, 0o644); err != nil {
		return nil, err
	}
	return out, d.reveille(ctx, "userdata", "show", file)
}

// metadata is what the instance's metadata service will say.
func metadata(userData []byte) map[string]any {
	values := map[string]any{
		"instance-id": "i-0a1b2c3d4e5f60718", "instance-type": "r6g.xlarge", "security-groups": "mysql",
		"local-ipv4": "10.0.1.23", "local-hostname": "ip-10-0-1-23.ec2.internal", "hostname": "ip-10-0-1-23.ec2.internal",
		"mac-local-ipv4s": "10.0.1.23", "placement-availability-zone": "us-east-1a", "placement-region": "us-east-1",
		"tags-instance-name": "dev-mysql01",
	}
	document := map[string]any{
		"accountId": "111122223333", "instanceId": "i-0a1b2c3d4e5f60718", "instanceType": "r6g.xlarge",
		"region": "us-east-1", "availabilityZone": "us-east-1a", "privateIp": "10.0.1.23",
		"imageId": "ami-0a1b2c3d4e5f60718", "architecture": "arm64", "version": "2017-09-30",
	}
	return map[string]any{
		"metadata": map[string]any{"values": values},
		"dynamic":  map[string]any{"values": map[string]any{"instance-identity-document": document}},
		"userdata": map[string]any{"values": map[string]any{"userdata": base64.StdEncoding.EncodeToString(userData)}},
	}
}

// serve starts a service and returns once it answers.
func (d *demo) serve(ctx context.Context, url, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, filepath.Join(d.bin, name), args...)
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 5 * time.Second
	if err := cmd.Start(); err != nil {
		return err
	}
	d.started = append(d.started, cmd)
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		if resp, err := http.DefaultClient.Do(req); err == nil {
			resp.Body.Close()
			return nil // any answer will do: without a token IMDS says 401
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s did not answer at %s: it said\n%s", name, url, said.String())
		case <-tick.C:
		}
	}
}

func (d *demo) stop() {
	for _, cmd := range d.started {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
	}
}

func (d *demo) run(ctx context.Context, out io.Writer, args ...string) error {
	// The example roles are the fleet's: a machine would have them in
	// /etc/reveille/roles.d, from its package or its image.
	flags := []string{"--root", d.root, "--roles", "packaging/examples/roles.d"}
	fmt.Printf("$ reveille %s\n", strings.Join(args, " "))
	cmd := exec.CommandContext(ctx, filepath.Join(d.bin, "reveille"), append(flags, args...)...)
	cmd.Env = append(os.Environ(), "AWS_EC2_METADATA_SERVICE_ENDPOINT="+d.imds)
	cmd.Stdout, cmd.Stderr = out, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("reveille %s: %w", strings.Join(args, " "), err)
	}
	return nil
}

func (d *demo) reveille(ctx context.Context, args ...string) error {
	return d.run(ctx, os.Stdout, args...)
}

func (d *demo) command(ctx context.Context, args ...string) ([]byte, error) {
	var out bytes.Buffer
	err := d.run(ctx, &out, args...)
	return out.Bytes(), err
}

// files lists what the pass left below etc.
func (d *demo) files() {
	_ = filepath.WalkDir(filepath.Join(d.root, "etc"), func(path string, e fs.DirEntry, err error) error {
		if err == nil && e.Type().IsRegular() {
			rel, _ := filepath.Rel(d.root, path)
			if text, _ := os.ReadFile(path); string(text) != fresh[rel] {
				fmt.Println("  " + path)
			}
		}
		return nil
	})
	text, _ := os.ReadFile(filepath.Join(d.root, "etc/resolv.conf"))
	fmt.Printf("\n%s/etc/resolv.conf:\n%s\n", d.root, text)
}

func (d *demo) ask(ctx context.Context, path string) error {
	fmt.Printf("$ curl %s%s\n", d.coordinator, path)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, d.coordinator+path, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	fmt.Println(strings.TrimSpace(string(body)))
	var answer struct{ Ready int }
	if err == nil {
		err = json.Unmarshal(body, &answer)
	}
	if err == nil && answer.Ready != 1 {
		err = fmt.Errorf("the coordinator counts %d ready machines, and not 1", answer.Ready)
	}
	return err
}

func writeJSON(path string, v any) error {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, b, 0o644)
}

func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	return port, err
}
