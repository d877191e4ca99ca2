package guest

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
)

// commands is the harness's end of the port on which image/shell answers; that
// file has the protocol.
type commands struct {
	conn  net.Conn
	ready chan struct{} // closed when the guest's end is first there

	calls[answer]

	writing sync.Mutex // a request is written whole
}

type answer struct {
	code           int
	stdout, stderr []byte
	restarted      bool
}

var errShellRestarted = errors.New("the machine's command shell was started again while the command ran: see its journal for why")

func newCommands(conn net.Conn) *commands {
	c := &commands{conn: conn, ready: make(chan struct{})}
	go c.read()
	return c
}

func (c *commands) read() {
	in := bufio.NewReader(c.conn)
	for up := false; ; {
		id, a, err := readAnswer(in)
		if err != nil {
			c.end(fmt.Errorf("the machine's command port has ended: %w", err))
			return
		}
		if id == "ready" {
			if up {
				c.answerAll(answer{restarted: true})
			} else {
				up = true
				close(c.ready)
			}
			continue
		}
		c.answer(id, a)
	}
}

// readAnswer reads one: "ID CODE OUT ERR\n" and the bytes.
func readAnswer(in *bufio.Reader) (string, answer, error) {
	line, err := in.ReadString('\n')
	if err != nil {
		return "", answer{}, err
	}
	var id string
	var code, nout, nerr int
	if _, err := fmt.Sscanf(line, "%s %d %d %d\n", &id, &code, &nout, &nerr); err != nil {
		return "", answer{}, fmt.Errorf("not an answer of image/shell: %.80q: %w", line, err)
	}
	a := answer{code: code, stdout: make([]byte, nout), stderr: make([]byte, nerr)}
	for _, part := range [][]byte{a.stdout, a.stderr} {
		if _, err := io.ReadFull(in, part); err != nil {
			return "", answer{}, err
		}
	}
	return id, a, nil
}

// run runs a program with so much on its standard input.
func (c *commands) run(ctx context.Context, stdin []byte, argv ...string) (Result, error) {
	for _, word := range argv {
		if strings.ContainsRune(word, 0) {
			return Result{}, fmt.Errorf("run %.80q: no word of a command can hold a NUL", argv)
		}
	}
	words := strings.Join(argv, "\x00") + "\x00"
	a, err := c.ask(ctx, len(words), words, stdin)
	if err != nil {
		return Result{}, err
	}
	return Result{Stdout: a.stdout, Stderr: a.stderr, Code: a.code}, nil
}

// ping ends when the guest's shell has answered.
func (c *commands) ping(ctx context.Context) error {
	_, err := c.ask(ctx, "ping", "", nil)
	return err
}

func (c *commands) ask(ctx context.Context, what any, words string, stdin []byte) (answer, error) {
	id, got, err := c.expect()
	if err != nil {
		return answer{}, err
	}
	request := fmt.Appendf(nil, "%s %v %d\n%s", id, what, len(stdin), words)
	if err := c.write(append(request, stdin...)); err != nil {
		return answer{}, err
	}
	select {
	case a, ok := <-got:
		switch {
		case !ok:
			return answer{}, c.why()
		case a.restarted:
			return answer{}, errShellRestarted
		}
		return a, nil
	case <-ctx.Done():
		c.forget(id)
		// Written beside, since a guest that hangs takes nothing any more.
		go func() { _ = c.write(fmt.Appendf(nil, "%s kill\n", id)) }()
		return answer{}, ctx.Err()
	}
}

func (c *commands) write(request []byte) error {
	c.writing.Lock()
	defer c.writing.Unlock()
	if _, err := io.Copy(c.conn, bytes.NewReader(request)); err != nil {
		return fmt.Errorf("write to the machine's command port: %w", err)
	}
	return nil
}
