package guest

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"embed"
	"encoding/pem"
	"fmt"
	"io/fs"
	"os/exec"

	"golang.org/x/crypto/ssh"
)

//go:embed image
var embedded embed.FS

//go:embed image/packages
var packages string

// keyPath is where the image keeps the key to itself. Nothing but the cases'
// machines is opened by it.
const keyPath = "usr/lib/guest/key"

// parts says where the files of image/ go. A folder of that name in the
// machine has nothing else in it.
var parts = []struct {
	from, to string
	mode     fs.FileMode
}{
	{"init", "/usr/lib/guest/init", 0o755},
	{"eth0.network", "/etc/systemd/network/10-eth0.network", 0o644},
	{"journald.conf", "/etc/systemd/journald.conf.d/guest.conf", 0o644},
	{"modprobe.conf", "/etc/modprobe.d/guest.conf", 0o644},
	{"cloud.cfg", "/etc/cloud/cloud.cfg.d/90-guest.cfg", 0o644},
}

// recipe is all that customize goes by, for the layer's name.
func recipe() []byte {
	var all bytes.Buffer
	names, _ := fs.Glob(embedded, "image/*")
	for _, name := range names {
		b, _ := embedded.ReadFile(name)
		fmt.Fprintf(&all, "%s %d\n%s", name, len(b), b)
	}
	fmt.Fprint(&all, parts)
	return all.Bytes()
}

// customize makes a plain Debian into an instance's image.
func customize(ctx context.Context, root string) error {
	private, public, err := newKey()
	if err != nil {
		return fmt.Errorf("make the key to the machines: %w", err)
	}
	files := []File{{Path: keyPath, Data: private, Mode: 0o600}, {Path: keyPath + ".pub", Data: public}}
	for _, p := range parts {
		b, err := embedded.ReadFile("image/" + p.from)
		if err != nil {
			return err
		}
		files = append(files, File{Path: p.to, Data: b, Mode: p.mode})
	}
	for _, f := range files {
		if err := put(root, f); err != nil {
			return err
		}
	}
	script, err := embedded.ReadFile("image/customize")
	if err != nil {
		return err
	}
	return inside(ctx, root, script)
}

// inside runs a shell script in a tree. Its packages' services stay off.
func inside(ctx context.Context, root string, script []byte) error {
	if err := put(root, File{Path: "/usr/sbin/policy-rc.d", Data: []byte("#!/bin/sh\nexit 101\n"), Mode: 0o755}); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, "chroot", root, "/bin/sh", "-s")
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LANG=C.UTF-8", "DEBIAN_FRONTEND=noninteractive"}
	cmd.Stdin = bytes.NewReader(append(script, "\nrm -f /usr/sbin/policy-rc.d\n"...))
	return run(cmd)
}

func newKey() (private, public []byte, err error) {
	pub, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		return nil, nil, err
	}
	block, err := ssh.MarshalPrivateKey(key, "cases")
	if err != nil {
		return nil, nil, err
	}
	line, err := ssh.NewPublicKey(pub)
	if err != nil {
		return nil, nil, err
	}
	return pem.EncodeToMemory(block), ssh.MarshalAuthorizedKey(line), nil
}
