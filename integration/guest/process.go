package guest

import (
	"bytes"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
)

// startTied starts a program that the kernel kills when this process dies,
// however it does; ended is closed when the program has ended. The kernel goes
// by the thread that made the child, so that one does nothing else meanwhile.
func startTied(cmd *exec.Cmd) (ended <-chan struct{}, err error) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
	started, done := make(chan error), make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // how it ended is in ProcessState
		}
	}()
	return done, <-started
}

// syncBuffer takes what several writers say.
type syncBuffer struct {
	mu      sync.Mutex
	buf     bytes.Buffer
	line    func(string) // if any, is called with each whole line
	pending []byte
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.buf.Write(p)
	if b.line == nil {
		return len(p), nil
	}
	b.pending = append(b.pending, p...)
	for {
		end := bytes.IndexByte(b.pending, '\n')
		if end < 0 {
			return len(p), nil
		}
		b.line(string(bytes.TrimRight(b.pending[:end], "\r")))
		b.pending = b.pending[end+1:]
	}
}

// Bytes is all of it so far.
func (b *syncBuffer) Bytes() []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	return bytes.Clone(b.buf.Bytes())
}
