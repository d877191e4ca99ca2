package userdata

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"mime/quotedprintable"
	"strings"
	"unicode/utf8"
)

var newlines = strings.NewReplacer("\r\n", "\n", "\r", "\n")

func trimBOM(b []byte) []byte { return bytes.TrimPrefix(b, []byte("\xef\xbb\xbf")) }

// badUTF8 is the number of the first line that is not UTF-8; 0 is none.
func badUTF8(text string) int {
	if utf8.ValidString(text) {
		return 0
	}
	for i, line := range strings.Split(text, "\n") {
		if !utf8.ValidString(line) {
			return i + 1
		}
	}
	return 0
}

// decode undoes a Content-Transfer-Encoding, and only one that is declared: a
// host name may well look like base64.
func decode(encoding string, body []byte) ([]byte, error) {
	switch encoding {
	case "base64":
		// Padding is often lost, and white space is no part of it.
		text := strings.TrimRight(strings.Join(strings.Fields(string(body)), ""), "=")
		out, err := base64.RawStdEncoding.DecodeString(text)
		if err != nil {
			return nil, fmt.Errorf("declared as base64, which it is not: %w: encode it again, or drop its Content-Transfer-Encoding", err)
		}
		return out, nil
	case "quoted-printable":
		out, err := io.ReadAll(quotedprintable.NewReader(bytes.NewReader(body)))
		if err != nil {
			return nil, fmt.Errorf("declared as quoted-printable, which it is not: %w: encode it again, or drop its Content-Transfer-Encoding", err)
		}
		return out, nil
	case "x-uuencode", "uuencode", "uue", "x-uue":
		return nil, fmt.Errorf("encoding %s is not read: use base64", encoding)
	}
	return body, nil // 7bit, 8bit, binary; cloud-init leaves unknown ones as they are, too
}

func isGzip(b []byte) bool { return bytes.HasPrefix(b, []byte{0x1f, 0x8b}) }

// gunzip decompresses within what is left of MaxOut. Members may follow each
// other, and zeros the last one, as gzip(1) and cloud-init have it.
func (w *walker) gunzip(b []byte) ([]byte, error) {
	in := bufio.NewReader(bytes.NewReader(b))
	var out bytes.Buffer
	var z gzip.Reader
	for member := 1; ; member++ {
		if err := z.Reset(in); err != nil {
			return nil, brokenGzip(member, err)
		}
		z.Multistream(false)
		n, err := io.Copy(&out, io.LimitReader(&z, int64(w.left)+1))
		if err != nil {
			return nil, brokenGzip(member, err)
		}
		if w.left -= int(n); w.left < 0 {
			return nil, tooMuch("more than %d bytes when all is decompressed (MaxOut): leave out what need not be in user-data", MaxOut)
		}
		if err := skipZeros(in); errors.Is(err, io.EOF) {
			return out.Bytes(), nil
		}
	}
}

func brokenGzip(member int, err error) error {
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	if member > 1 {
		return fmt.Errorf("broken gzip: what follows its first data: %w: compress it again", err)
	}
	return fmt.Errorf("broken gzip: %w: compress it again", err)
}

// skipZeros stops before the first byte that is not zero; io.EOF where all are.
func skipZeros(in *bufio.Reader) error {
	for {
		c, err := in.ReadByte()
		if err != nil {
			return err
		}
		if c != 0 {
			return in.UnreadByte()
		}
	}
}
