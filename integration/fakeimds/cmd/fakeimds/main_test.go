package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestServesUntilItIsStopped(t *testing.T) {
	dir := t.TempDir()
	instance, data := filepath.Join(dir, "i.json"), filepath.Join(dir, "user-data")
	for path, text := range map[string]string{instance: `{"ID": "i-0aaaaaaaaaaaaaaaa"}`, data: "hostname=demo01\n"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	r, w := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		ended <- run(ctx, []string{"--v1", "--instance", instance, "--user-data", data}, w, io.Discard)
	}()
	url, err := bufio.NewReader(r).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{"meta-data/instance-id": "i-0aaaaaaaaaaaaaaaa", "user-data": "hostname=demo01\n"} {
		resp, err := http.Get(strings.TrimSpace(url) + "/latest/" + path)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(resp.Body)
		if err != nil || string(b) != want {
			t.Errorf("%s is %q, %v, want %q", path, b, err, want)
		}
		resp.Body.Close()
	}
	stop()
	if err := <-ended; err != nil {
		t.Errorf("stopped with %v", err)
	}
}

func TestUsage(t *testing.T) {
	for want, args := range map[string][]string{
		"no fault is named":  {"--fault", "gremlins"},
		"unexpected":         {"more"},
		"read the instance":  {"--instance", "/nowhere"},
		"read the user-data": {"--user-data", "/nowhere"},
		"metadata service":   {"--listen", "127.0.0.1:x"},
	} {
		if err := run(t.Context(), args, io.Discard, io.Discard); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: error %v, want one with %q", args, err, want)
		}
	}
	var help strings.Builder
	if err := run(t.Context(), []string{"--help"}, io.Discard, &help); !errors.Is(err, flag.ErrHelp) || !strings.Contains(help.String(), "syn-dropped") {
		t.Errorf("help: %v\n%s", err, help.String())
	}
}
