package userdata

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// BenchmarkSplit reads user-data as full as EC2 takes it: compressed, a part of
// cloud-init's that hardly shrinks, and one of ours.
func BenchmarkSplit(b *testing.B) {
	raw := fullUserData(b)
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		if parts, err := Split(raw, ours); err != nil || len(parts) != 2 {
			b.Fatal(parts, err)
		}
	}
}

// fullUserData is user-data of a few bytes less than MaxRaw.
func fullUserData(b *testing.B) []byte {
	b.Helper()
	random := rand.New(rand.NewPCG(1, 2))
	var script strings.Builder
	script.WriteString("#!/bin/sh\n")
	var last []byte
	for {
		fmt.Fprintf(&script, "# %016x%016x\n", random.Uint64(), random.Uint64())
		raw, err := Build([]File{{"fill.sh", []byte(script.String())}, {"role", []byte("#reveille\nrole: mysql\nhostname: dev-mysql01\n")}}, ours)
		if err != nil {
			break
		}
		last = raw
	}
	if len(last) < MaxRaw-100 {
		b.Fatalf("%d bytes are not full", len(last))
	}
	return last
}
