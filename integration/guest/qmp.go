package guest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"sync"
)

// monitor speaks QMP, QEMU's control protocol: JSON objects, answers matched by
// id, events between them. The libraries for it know neither contexts nor a
// socket that QEMU was handed, and stop answering when events go unread.
type monitor struct {
	conn net.Conn
	calls[message]

	watching sync.Mutex
	watched  map[string]chan json.RawMessage // by the event's name and device
}

type message struct {
	ID     string          `json:"id"`
	Return json.RawMessage `json:"return"`
	Error  *struct {
		Class string `json:"class"`
		Desc  string `json:"desc"`
	} `json:"error"`
	Event string          `json:"event"`
	Data  json.RawMessage `json:"data"`
}

// newMonitor takes the connection over and waits for QEMU's greeting.
func newMonitor(ctx context.Context, conn net.Conn) (*monitor, error) {
	m := &monitor{conn: conn, watched: map[string]chan json.RawMessage{}}
	go m.read()
	// QEMU answers the first command after its greeting, so none is waited for.
	if err := m.do(ctx, "qmp_capabilities", nil, nil); err != nil {
		return nil, err
	}
	return m, nil
}

func (m *monitor) read() {
	dec := json.NewDecoder(m.conn)
	for {
		var got message
		if err := dec.Decode(&got); err != nil {
			m.end(fmt.Errorf("QEMU's monitor has ended: %w", err))
			return
		}
		if got.Event == "" {
			m.answer(got.ID, got)
			continue
		}
		m.tell(got)
	}
}

// tell hands an event to whoever watches for it.
func (m *monitor) tell(event message) {
	var about struct{ Device string }
	_ = json.Unmarshal(event.Data, &about) // an event without a device is about none
	m.watching.Lock()
	defer m.watching.Unlock()
	if c, ok := m.watched[event.Event+" "+about.Device]; ok {
		select {
		case c <- event.Data:
		default: // already told
		}
	}
}

// do runs one command; out may be nil.
func (m *monitor) do(ctx context.Context, command string, args, out any) error {
	id, answer, err := m.expect()
	if err != nil {
		return fmt.Errorf("%s: %w", command, err)
	}
	line, err := json.Marshal(struct {
		Execute   string `json:"execute"`
		Arguments any    `json:"arguments,omitempty"`
		ID        string `json:"id"`
	}{command, args, id})
	if err == nil {
		_, err = m.conn.Write(append(line, '\n'))
	}
	if err != nil {
		return fmt.Errorf("tell QEMU %s: %w", command, err)
	}
	select {
	case got, ok := <-answer:
		if !ok {
			return fmt.Errorf("%s: %w", command, m.why())
		}
		if got.Error != nil {
			return fmt.Errorf("QEMU refuses %s: %s", command, got.Error.Desc)
		}
		if out == nil {
			return nil
		}
		return json.Unmarshal(got.Return, out)
	case <-ctx.Done():
		return fmt.Errorf("wait for QEMU's answer to %s: %w", command, ctx.Err())
	}
}

// watch is told of an event about a device from now on, once, until stop.
func (m *monitor) watch(event, device string) (told <-chan json.RawMessage, stop func()) {
	c, key := make(chan json.RawMessage, 1), event+" "+device
	m.watching.Lock()
	m.watched[key] = c
	m.watching.Unlock()
	return c, func() {
		m.watching.Lock()
		delete(m.watched, key)
		m.watching.Unlock()
	}
}

// human runs a command of QEMU's human monitor, for what QMP has none for.
func (m *monitor) human(ctx context.Context, line string) (string, error) {
	var text string
	err := m.do(ctx, "human-monitor-command", map[string]any{"command-line": line}, &text)
	return text, err
}

// quit ends QEMU at once, its files written. The guest is not asked.
func (m *monitor) quit(ctx context.Context) error {
	err := m.do(ctx, "quit", nil, nil)
	if err != nil && m.why() != nil && ctx.Err() == nil {
		return nil // it may go before it answers
	}
	return err
}

var errOff = errors.New("the machine is off")
