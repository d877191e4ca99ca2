package guest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"

	"golang.org/x/crypto/ssh"
)

// Login is one ssh session from the fabric to the machine, from the connection
// to the end of the command: what an operator does. An error is of the way
// there; how the command ended is in the result. ctx bounds all of it.
func (f *Fabric) Login(ctx context.Context, key, user, address string, argv ...string) (Result, error) {
	pem, err := os.ReadFile(key)
	if err != nil {
		return Result{}, fmt.Errorf("read the key to the machines: %w", err)
	}
	signer, err := ssh.ParsePrivateKey(pem)
	if err != nil {
		return Result{}, fmt.Errorf("read the key to the machines: %w", err)
	}
	r, err := f.login(ctx, signer, user, address, argv)
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	if err != nil {
		return r, fmt.Errorf("log in as %s at %s: %w", user, address, err)
	}
	return r, nil
}

func (f *Fabric) login(ctx context.Context, key ssh.Signer, user, address string, argv []string) (Result, error) {
	at := net.JoinHostPort(address, "22")
	conn, err := f.Dial(ctx, "tcp", at)
	if err != nil {
		return Result{}, err
	}
	defer conn.Close()
	// The protocol knows no contexts: closing the connection ends it anywhere.
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	c, channels, requests, err := ssh.NewClientConn(conn, at, &ssh.ClientConfig{
		User: user, Auth: []ssh.AuthMethod{ssh.PublicKeys(key)}, HostKeyCallback: ssh.InsecureIgnoreHostKey()}) // made a minute ago, by us
	if err != nil {
		return Result{}, err
	}
	client := ssh.NewClient(c, channels, requests)
	defer client.Close()
	session, err := client.NewSession()
	if err != nil {
		return Result{}, err
	}
	var out, say bytes.Buffer
	session.Stdout, session.Stderr = &out, &say
	err = session.Run(quote(argv))
	r := Result{Stdout: out.Bytes(), Stderr: say.Bytes()}
	var exit *ssh.ExitError
	if errors.As(err, &exit) {
		r.Code, err = exit.ExitStatus(), nil
	}
	return r, err
}

// quote makes a shell command of arguments.
func quote(argv []string) string {
	var words []string
	for _, a := range argv {
		words = append(words, "'"+strings.ReplaceAll(a, "'", `'\''`)+"'")
	}
	return strings.Join(words, " ")
}
