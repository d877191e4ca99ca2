package block

import (
	"bytes"
	"fmt"
)

// magics are what headers begin with, and every how many bytes one may begin.
// That they are found says what was there; that none is found says nothing.
var magics = []struct {
	text  string
	at    int // within the header
	every int
	of    string
}{
	{"XFSB", 0, page, "a header of an XFS"},
	{"\x53\xef", 56, 1 << 10, "a superblock of an ext4"},
	{"\xfc\x4e\x2b\xa9", 0, page, "a superblock of an md array"},
	{"LABELONE", 0, sector, "a label of LVM's"},
	{"LUKS\xba\xbe", 0, page, "a header of LUKS's"},
	{"SKUL\xba\xbe", 0, page, "a second header of LUKS's"},
	{"EFI PART", 0, sector, "a GPT partition table"},
	{"_BHRfS_M", 64, page, "a superblock of a btrfs"},
}

// describe says what is at the first byte that is not zero: data[i], where data
// begins at the byte at of the device.
func describe(data []byte, at int64, i int) string {
	begin := i &^ (page - 1)
	part := data[begin:min(begin+page, len(data))]
	for _, m := range magics {
		for off := 0; off+m.at+len(m.text) <= len(part); off += m.every {
			if bytes.HasPrefix(part[off+m.at:], []byte(m.text)) {
				return fmt.Sprintf("%s at byte %d", m.of, at+int64(begin+off))
			}
		}
	}
	return fmt.Sprintf("data at byte %d", at+int64(i))
}
