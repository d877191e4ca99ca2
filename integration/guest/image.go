package guest

// Image is a Debian that machines are booted from; none of them changes it.
type Image struct {
	Tree   string // folder with all its files
	Disk   string // the same as a raw ext4 file system, without partitions
	Kernel string // its kernel, uncompressed
}
