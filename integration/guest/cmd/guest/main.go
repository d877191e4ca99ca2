// Command guest leaves a developer in a shell inside a booted instance, with
// the agent's package installed and enabled and a metadata service around it
// that serves the given user-data. It is what `make machine` and `make vm`
// call. When the shell ends, all of it is gone.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"reveille/integration/fakeimds"
	"reveille/integration/guest"
)

// options are what the command line says.
type options struct {
	kind, deb, userdata, roles string
	command                    []string
}

func main() {
	var o options
	flag.StringVar(&o.kind, "kind", "container", "container, or vm: an own kernel, and ten seconds to boot")
	flag.StringVar(&o.deb, "deb", "", "the agent's package (a pattern); without it the machine has no agent")
	flag.StringVar(&o.userdata, "userdata", "", "user-data of the instance, a file; by default hostname=dev-machine01")
	flag.StringVar(&o.roles, "roles", "", "folder with role files, for /etc/reveille/roles.d")
	flag.Usage = func() {
		fmt.Fprintln(os.Stderr, "usage: guest [FLAG…] [COMMAND…]   run as root; without a command it is a shell")
		flag.PrintDefaults()
	}
	flag.Parse()
	o.command = flag.Args()
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	if err := run(o, log); err != nil {
		fmt.Fprintln(os.Stderr, "guest:", err)
		os.Exit(1)
	}
}

func run(o options, log *slog.Logger) (err error) {
	// Interrupts are for the shell; a hang-up or a kill ends the machine too.
	ignored := make(chan os.Signal, 1)
	signal.Notify(ignored, os.Interrupt)
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	dir, err := os.MkdirTemp("", "reveille-machine-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	fabric, err := guest.NewFabric()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, fabric.Close()) }()
	metadata, err := serve(fabric, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, metadata.Close()) }()
	spec, err := prepare(ctx, o, dir, log)
	if err != nil {
		return err
	}
	spec.Fabric = fabric
	machine, err := guest.New(guest.Kind(o.kind), spec)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, machine.Close()) }()
	fmt.Fprintln(os.Stderr, "booting; all of it is gone when the shell ends")
	if err := machine.Boot(ctx); err != nil {
		return err
	}
	return shell(ctx, fabric, spec.Image.Key, o.command)
}

// serve answers at the metadata service's address in the machine's network.
func serve(fabric *guest.Fabric, o options) (*fakeimds.Running, error) {
	instance := fakeimds.Example()
	instance.Tags, instance.SecurityGroups, instance.IPv6 = nil, []string{"default"}, ""
	instance.Interfaces = []fakeimds.Interface{{MAC: guest.MAC, ID: "eni-05", SubnetID: "subnet-01", VPCID: "vpc-01", IPv4: []string{guest.Lease}}}
	instance.UserData = []byte("hostname=dev-machine01\n")
	if o.userdata != "" {
		data, err := os.ReadFile(o.userdata)
		if err != nil {
			return nil, fmt.Errorf("read the instance's user-data: %w", err)
		}
		instance.UserData = data
	}
	l, err := fabric.Listen("tcp", guest.Metadata+":80")
	if err != nil {
		return nil, fmt.Errorf("open the metadata service: %w", err)
	}
	return fakeimds.Serve(l, instance, fakeimds.Fault{}), nil
}

// prepare makes the image and says what is in the machine before it boots.
func prepare(ctx context.Context, o options, dir string, log *slog.Logger) (guest.Spec, error) {
	s := guest.Spec{DMI: fakeimds.Example().ID, Dir: filepath.Join(dir, "machine"), Log: log}
	if err := os.Mkdir(s.Dir, 0o755); err != nil {
		return s, err
	}
	var err error
	if s.Image, err = guest.Build(ctx, log); err != nil {
		return s, err
	}
	if o.deb != "" {
		if s.Image, err = install(ctx, s.Image, o.deb, dir, log); err != nil {
			return s, err
		}
		if s.Files, err = s.Image.Enable("reveille.service", nil); err != nil {
			return s, err
		}
	}
	if o.roles != "" {
		files, err := filepath.Glob(filepath.Join(o.roles, "*.yaml"))
		if err != nil || len(files) == 0 {
			return s, errors.Join(err, fmt.Errorf("there is no role file, *.yaml, in %s", o.roles))
		}
		for _, path := range files {
			b, err := os.ReadFile(path)
			if err != nil {
				return s, err
			}
			s.Files = append(s.Files, guest.File{Path: "/etc/reveille/roles.d/" + filepath.Base(path), Data: b})
		}
	}
	if guest.Kind(o.kind) == guest.VM {
		s.Image, err = s.Image.ForVM(ctx, log)
	}
	return s, err
}

// install puts the packages that a pattern names into the image.
func install(ctx context.Context, image guest.Image, pattern, dir string, log *slog.Logger) (guest.Image, error) {
	debs, err := filepath.Glob(pattern)
	if err != nil || len(debs) == 0 {
		return image, errors.Join(err, fmt.Errorf("no package is called %s; make package builds it", pattern))
	}
	for _, deb := range debs {
		if image, err = image.With(ctx, log, dir, deb); err != nil {
			return image, err
		}
	}
	return image, nil
}

// shell is an operator's login, as soon as the machine lets one in.
func shell(ctx context.Context, fabric *guest.Fabric, key string, command []string) error {
	bounded, cancel := context.WithTimeout(ctx, 3*time.Minute)
	defer cancel()
	for {
		if _, err := fabric.Login(bounded, key, "root", guest.Lease, "true"); err == nil {
			break
		} else if bounded.Err() != nil {
			return fmt.Errorf("wait for a login: %w", err)
		}
		time.Sleep(50 * time.Millisecond) // the login is what is waited for
	}
	args := []string{"--net=" + fabric.Namespace(), "ssh", "-q", "-i", key, "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "root@" + guest.Lease}
	ssh := exec.CommandContext(ctx, "nsenter", append(args, command...)...)
	ssh.Stdin, ssh.Stdout, ssh.Stderr = os.Stdin, os.Stdout, os.Stderr
	err := ssh.Run()
	var exit *exec.ExitError
	if len(command) == 0 && errors.As(err, &exit) {
		return nil // the last command of a shell is nobody's failure
	}
	return err
}
