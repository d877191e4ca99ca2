package disks

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
)

// The words of the NBD protocol that QEMU needs: the fixed newstyle handshake,
// GO, and simple replies.
const (
	magicServer  = 0x4e42444d41474943 // NBDMAGIC
	magicOption  = 0x49484156454f5054 // IHAVEOPT
	magicAnswer  = 0x0003e889045565a9
	magicRequest = 0x25609513
	magicReply   = 0x67446698

	fixedNewstyle = 1 << 0
	noZeroes      = 1 << 1

	optAbort = 2
	optInfo  = 6
	optGo    = 7

	answerAck         = 1
	answerInfo        = 3
	answerUnsupported = 1<<31 | 1
	answerUnknown     = 1<<31 | 6

	cmdRead        = 0
	cmdWrite       = 1
	cmdDisconnect  = 2
	cmdFlush       = 3
	cmdTrim        = 4
	cmdWriteZeroes = 6

	flagFUA = 1 << 0 // of a request

	// has flags, flush, FUA, trim, write zeroes
	features = 1<<0 | 1<<2 | 1<<3 | 1<<5 | 1<<6

	errorIO = 5

	longestOption = 4096
	longest       = 64 << 20 // bytes of a read or a write
)

// session is one connection of QEMU's.
type session struct {
	s    *Server
	in   *bufio.Reader
	out  *bufio.Writer
	name string
	disk *image
}

func serve(s *Server, c net.Conn) error {
	q := &session{s: s, in: bufio.NewReaderSize(c, 1<<16), out: bufio.NewWriterSize(c, 1<<16)}
	if err := q.handshake(); err != nil {
		return fmt.Errorf("agree with QEMU on a disk: %w", err)
	}
	for {
		ended, err := q.request()
		if err == nil {
			err = q.out.Flush()
		}
		if ended || err != nil {
			return err
		}
	}
}

// say writes numbers and bytes in the order of the network.
func (q *session) say(words ...any) error {
	for _, w := range words {
		if err := binary.Write(q.out, binary.BigEndian, w); err != nil {
			return err
		}
	}
	return nil
}

func (q *session) handshake() error {
	if err := errors.Join(q.say(uint64(magicServer), uint64(magicOption), uint16(fixedNewstyle|noZeroes)), q.out.Flush()); err != nil {
		return err
	}
	var flags uint32
	if err := binary.Read(q.in, binary.BigEndian, &flags); err != nil {
		return err
	}
	for {
		agreed, err := q.option()
		if err = errors.Join(err, q.out.Flush()); agreed || err != nil {
			return err
		}
	}
}

// option answers one; agreed when requests follow.
func (q *session) option() (agreed bool, err error) {
	var o struct {
		Magic          uint64
		Option, Length uint32
	}
	if err := binary.Read(q.in, binary.BigEndian, &o); err != nil {
		return false, err
	}
	if o.Magic != magicOption || o.Length > longestOption {
		return false, errors.New("not an option of the fixed newstyle handshake")
	}
	data := make([]byte, o.Length)
	if _, err := io.ReadFull(q.in, data); err != nil {
		return false, err
	}
	answer := func(kind uint32, data ...byte) error {
		return q.say(uint64(magicAnswer), o.Option, kind, uint32(len(data)), data)
	}
	switch o.Option {
	case optAbort:
		return false, errors.Join(answer(answerAck), io.EOF)
	case optInfo, optGo:
	default:
		return false, answer(answerUnsupported)
	}
	if len(data) < 4 || int(binary.BigEndian.Uint32(data)) > len(data)-4 {
		return false, errors.New("an option that is cut short")
	}
	q.name = string(data[4 : 4+binary.BigEndian.Uint32(data)])
	if q.disk, err = q.s.disk(q.name); err != nil {
		return false, answer(answerUnknown)
	}
	info := binary.BigEndian.AppendUint16(nil, 0) // NBD_INFO_EXPORT
	info = binary.BigEndian.AppendUint64(info, uint64(q.disk.size))
	info = binary.BigEndian.AppendUint16(info, features)
	return o.Option == optGo, errors.Join(answer(answerInfo, info...), answer(answerAck))
}

func (q *session) request() (ended bool, err error) {
	var r struct {
		Magic          uint32
		Flags, Command uint16
		Handle, At     uint64
		Length         uint32
	}
	if err := binary.Read(q.in, binary.BigEndian, &r); err != nil {
		return false, err
	}
	if r.Magic != magicRequest || r.Command <= cmdWrite && r.Length > longest {
		return false, errors.New("not a request")
	}
	w := Write{Disk: q.name, At: int64(r.At), Length: int64(r.Length), Lasts: r.Flags&flagFUA != 0}
	var read []byte
	switch r.Command {
	case cmdDisconnect:
		return true, nil
	case cmdRead:
		read = make([]byte, r.Length)
		err = q.s.readAt(q.disk, read, w.At)
	case cmdWrite:
		w.Data = make([]byte, r.Length)
		if _, err := io.ReadFull(q.in, w.Data); err != nil {
			return false, err
		}
		err = q.s.change(w)
	case cmdFlush:
		w.At, w.Length, w.Flush = 0, 0, true
		err = q.s.change(w)
	case cmdTrim, cmdWriteZeroes:
		err = q.s.change(w)
	default:
		err = fmt.Errorf("no command %d", r.Command)
	}
	if err != nil {
		return false, q.say(uint32(magicReply), uint32(errorIO), r.Handle)
	}
	return false, q.say(uint32(magicReply), uint32(0), r.Handle, read)
}
