package guest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"runtime"

	"github.com/vishvananda/netns"
)

// within calls do on a thread that is in the fabric's namespace. Sockets that
// it opens stay there, whoever uses them.
func (f *Fabric) within(do func() error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		home, err := netns.Get()
		if err != nil {
			done <- err
			return // locked, as all returns before the last: the thread ends with the goroutine
		}
		defer home.Close()
		if err := netns.Set(f.ns); err != nil {
			done <- fmt.Errorf("enter the machine's network: %w", err)
			return
		}
		err = do()
		if back := netns.Set(home); back != nil {
			done <- errors.Join(err, fmt.Errorf("leave the machine's network: %w", back))
			return
		}
		runtime.UnlockOSThread()
		done <- err
	}()
	return <-done
}

// Listen opens a listener inside the network, for a server of this process
// that the machine alone reaches. The address is added if need be.
func (f *Fabric) Listen(network, address string) (l net.Listener, err error) {
	if err := f.addFor(address); err != nil {
		return nil, err
	}
	err = f.within(func() error {
		l, err = new(net.ListenConfig).Listen(context.Background(), network, address)
		return err
	})
	return l, err
}

// ListenPacket is Listen for UDP.
func (f *Fabric) ListenPacket(network, address string) (c net.PacketConn, err error) {
	if err := f.addFor(address); err != nil {
		return nil, err
	}
	err = f.within(func() error {
		c, err = new(net.ListenConfig).ListenPacket(context.Background(), network, address)
		return err
	})
	return c, err
}

// Dial connects from the network, to the machine for example.
func (f *Fabric) Dial(ctx context.Context, network, address string) (c net.Conn, err error) {
	err = f.within(func() error {
		c, err = new(net.Dialer).DialContext(ctx, network, address)
		return err
	})
	return c, err
}

func (f *Fabric) addFor(address string) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return err
	}
	if ip := net.ParseIP(host); ip == nil || ip.IsUnspecified() || ip.IsLoopback() {
		return nil
	}
	return f.Add(host)
}
