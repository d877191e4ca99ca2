package probe

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"

	"reveille/bootstrap/host"
)

// The words of a call and of its reply in ONC RPC (RFC 5531).
const (
	lastFragment = 1 << 31
	rpcCall      = 0
	rpcReply     = 1
	rpcVersion   = 2
	nfsProgram   = 100003
	nfsVersion   = 4
	nullCall     = 0 // the procedure of every program that does nothing
	noIdentity   = 0 // of the caller: two empty ones follow a call
)

// FileServer asks NFS servers, "10.0.0.9:2049", to do nothing, as nobody. Any
// reply is an answer, a refusal among them, and that it has no such version:
// the server is alive, and who may mount what is not looked into.
type FileServer struct {
	Host     *host.Host
	Resolver *Resolver // nil: by the machine's own resolv.conf
}

// Ask is an Asker with one question, which needs no name.
func (f FileServer) Ask(ctx context.Context, server string, tell func(int, error)) {
	tell(0, f.ask(ctx, server))
}

func (f FileServer) ask(ctx context.Context, server string) error {
	name, port, err := net.SplitHostPort(server)
	if err != nil {
		return fmt.Errorf("%q is no server to connect to", server)
	}
	conn, err := connect(ctx, f.Host, f.Resolver, name, port)
	if err != nil {
		return plain(ctx, err)
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	err = null(conn)
	if err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// null makes the call, and reads no more of a reply than whose it is.
func null(conn net.Conn) error {
	id := rand.Uint32()
	call := []uint32{id, rpcCall, rpcVersion, nfsProgram, nfsVersion, nullCall, noIdentity, 0, noIdentity, 0}
	packet := binary.BigEndian.AppendUint32(nil, lastFragment|uint32(4*len(call)))
	for _, word := range call {
		packet = binary.BigEndian.AppendUint32(packet, word)
	}
	var reply struct{ Size, ID, Kind uint32 }
	_, err := conn.Write(packet)
	if err == nil {
		err = binary.Read(conn, binary.BigEndian, &reply)
	}
	if err != nil || reply.ID != id || reply.Kind != rpcReply {
		return errors.New("what it answers is no NFS, or it hung up")
	}
	return nil
}
