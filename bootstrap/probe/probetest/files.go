package probetest

import (
	"io"
	"net"
)

// Replies answers a call of ONC RPC as an NFS server does, with the words that
// follow its id: 1, a reply; 0, accepted; and so on. It is for Directory.
func Replies(words ...byte) func(net.Conn) {
	return func(c net.Conn) {
		call := make([]byte, 44) // without an identity
		if _, err := io.ReadFull(c, call); err != nil {
			return
		}
		reply := append([]byte{0x80, 0, 0, byte(4 + 4*len(words))}, call[4:8]...)
		for _, w := range words {
			reply = append(reply, 0, 0, 0, w)
		}
		_, _ = c.Write(reply)
		_, _ = c.Read(call) // until the client has hung up
	}
}
