package facts

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// mock builds amazon-ec2-metadata-mock, as tools/go.mod pins it.
func mock(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("the peer is built from its sources, which -short leaves out")
	}
	bin := filepath.Join(t.TempDir(), "ec2-metadata-mock")
	build := exec.CommandContext(t.Context(), "go", "-C", "../../tools", "build", "-o", bin,
		"github.com/aws/amazon-ec2-metadata-mock/cmd/ec2-metadata-mock")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the peer: %v\n%s", err, out)
	}
	return bin
}

// startMock runs the peer with tokens required until the test ends.
func startMock(t *testing.T, userData string) (url string) {
	t.Helper()
	dir := t.TempDir()
	config, err := json.Marshal(map[string]any{
		"metadata": map[string]any{"values": map[string]string{"instance-id": exampleID}},
		"dynamic": map[string]any{"values": map[string]any{"instance-identity-document": map[string]string{
			"instanceId": exampleID, "accountId": "123456789012"}}},
		"userdata": map[string]any{"values": map[string]string{"userdata": base64.StdEncoding.EncodeToString([]byte(userData))}},
	})
	if err != nil {
		t.Fatal(err)
	}
	put(t, dir, "config.json", string(config))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(l.Addr().String())
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(mock(t), "events", "-I", "-n", "127.0.0.1", "-p", port, "-c", filepath.Join(dir, "config.json"))
	cmd.Env = append(os.Environ(), "HOME="+dir)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		var exit *exec.ExitError
		if err := cmd.Process.Kill(); err != nil {
			t.Errorf("stop the peer: %v", err)
		}
		if err := cmd.Wait(); err != nil && !errors.As(err, &exit) {
			t.Errorf("stop the peer: %v", err)
		}
	})
	return "http://127.0.0.1:" + port
}

// The peer is another's idea of IMDS: what both it and the project's own fake
// answer is not only what we believe.
func TestAgainstAmazonsMock(t *testing.T) {
	t.Parallel()
	url := startMock(t, "hostname=dev-mysql01\nrole=mysql\n")
	o := options(url)
	o.tuning = defaultTuning // refusals while it starts are tried again
	f := Gather(t.Context(), machine(t, nil), o)
	i := f.Instance
	for name, c := range map[string]struct{ got, want string }{
		"source":    {string(f.Source), "imds"},
		"id":        {i.ID.String(), exampleID},
		"account":   {i.Account.String(), "123456789012"},
		"region":    {i.Region.String(), "us-east-1"},
		"type":      {i.Type.String(), "m4.xlarge"},
		"a tag":     {i.Tags.Or(nil)["Name"], "test-instance"},
		"hostname":  {i.Hostname.String(), "ip-172-16-34-43.ec2.internal"},
		"interface": {i.Interfaces.Or([]Interface{{}})[0].MAC, "0e:49:61:0f:c3:11"},
	} {
		if c.got != c.want {
			t.Errorf("%s is %s, want %s", name, c.got, c.want)
		}
	}
	if !good(f) || len(f.Problems) != 0 {
		t.Errorf("problems %+v", f.Problems)
	}
	if len(f.UserData.Parts) != 1 || !strings.Contains(f.UserData.Parts[0].Text, "role=mysql") {
		t.Errorf("user-data %+v", f.UserData)
	}
}
