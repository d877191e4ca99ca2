// Command demo runs the main job on this machine, from user-data to a ready
// report on the coordinator's page, in a folder that stands in for the
// machine. It is what `make demo` calls: it starts a coordinator and a
// metadata service on loopback, types the commands that an operator would
// type, shows what they print, and ends what it started.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
)

func main() {
	bin := flag.String("bin", "build/bin", "the folder with the built commands")
	dir := flag.String("dir", "build/demo", "the folder that stands in for the machine; made anew")
	hold := flag.Bool("hold", os.Getenv("DEMO_HOLD") == "1", "leave the page up until interrupted")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *bin, *dir, *hold); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, bin, dir string, hold bool) error {
	d := &demo{bin: bin, root: dir}
	defer d.stop()
	if err := d.machine(); err != nil {
		return err
	}
	say("1. User-data: a part of ours between two of cloud-init's, compressed")
	if err := d.start(ctx); err != nil {
		return err
	}
	steps := []struct {
		title string
		args  []string
	}{
		{"2. What a pass would do, and why: nothing is changed yet", []string{"debug", "plan", "--brief"}},
		{"   … and one concern of it to the byte", []string{"debug", "plan", "resolver", "nameservice"}},
		{"3. The pass", []string{"boot"}},
		{"4. Where its time went", []string{"debug", "timeline"}},
		{"   … as a picture", []string{"debug", "timeline", "--svg", filepath.Join(d.root, "timeline.svg")}},
		{"5. Who set a value", []string{"debug", "explain", "coordinator.urls"}},
		{"6. Once more: a second pass changes nothing", []string{"boot"}},
	}
	for _, s := range steps {
		say(s.title)
		if err := d.reveille(ctx, s.args...); err != nil {
			return err
		}
	}
	say("7. The files that it wrote")
	d.files()
	say("8. What the coordinator answers: is the mysql role up?")
	if err := d.ask(ctx, "/v1/roles/mysql"); err != nil {
		return err
	}
	fmt.Printf("\nThe fleet page: %s/\n", d.coordinator)
	if hold {
		fmt.Println("It stays up until you press Ctrl-C.")
		<-ctx.Done()
		return nil
	}
	fmt.Println("DEMO_HOLD=1 make demo leaves it up.")
	return nil
}

func say(title string) { fmt.Printf("\n\x1b[1m== %s\x1b[0m\n\n", title) }

// machine makes the folder that stands in for the machine: the files of a
// fresh Debian instance that the roles will look at.
func (d *demo) machine() error {
	if err := os.RemoveAll(d.root); err != nil {
		return err
	}
	for path, text := range fresh {
		path = filepath.Join(d.root, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		mode := os.FileMode(0o644)
		if filepath.Base(filepath.Dir(path)) == "bin" {
			mode = 0o755
		}
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			return err
		}
	}
	return nil
}

// fresh is what an instance looks like before its first boot is over.
var fresh = map[string]string{
	"etc/os-release":    "ID=debian\nVERSION_ID=\"12\"\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n",
	"etc/hostname":      "ip-10-0-1-23\n",
	"etc/hosts":         "127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n",
	"etc/resolv.conf":   "domain ec2.internal\nsearch ec2.internal.\nnameserver 10.0.0.2\n",
	"etc/nsswitch.conf": "passwd:         files systemd\ngroup:          files systemd\nshadow:         files\n\nhosts:          files dns\nnetworks:       files\n",
	"etc/passwd":        "root:x:0:0:root:/root:/bin/bash\nubuntu:x:1000:1000::/home/ubuntu:/bin/bash\n",
	"etc/group":         "root:x:0:\nadm:x:4:ubuntu\nnslcd:x:112:\n",
	// The account that must always get in does; a key that nobody has.
	"etc/shadow": "root:*:19000:0:99999:7:::\nubuntu:!:19000:0:99999:7:::\n",
	"etc/shells": "/bin/bash\n", "bin/bash": "",
	"etc/sudoers.d/90-cloud-init-users": "ubuntu ALL=(ALL) NOPASSWD:ALL\n",
	"etc/sudoers":                       "@includedir /etc/sudoers.d\n",
	"home/ubuntu/.ssh/authorized_keys":  "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAsLCwsLCwsLCwsLCwsLCwsLCwsLCwsLCwsLCwsLCwsL\n",
	// So that each is configured: what is not installed is left alone.
	"usr/sbin/nslcd": "", "usr/sbin/gmond": "", "usr/bin/cloud-init": "", "sbin/dhclient": "",
	"lib/x86_64-linux-gnu/libnss_ldap.so.2": "",
	// IMDS need not be asked who this is.
	"sys/class/dmi/id/board_asset_tag": "i-0a1b2c3d4e5f60718\n",
	"sys/class/dmi/id/sys_vendor":      "Amazon EC2\n",
}
