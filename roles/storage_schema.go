package roles

// mostDisks bounds what there may be of a kind: an instance has fewer volumes.
const mostDisks = 64

// storageSchema is the role's disks. Who may tag an instance may not say what is
// formatted on it.
func storageSchema() *schemaKey {
	return &schemaKey{name: "storage", only: byHand, doc: "The role's disks: which volumes they are, and what lies on them. A volume set is named volumes/NAME below, or by its name alone; an array raid/NAME; a logical volume lvm/GROUP/VOLUME.", keys: []*schemaKey{
		{name: "wait", doc: "How long volumes that are not attached yet are waited for.", is: someTime(), def: "1m"},
		{name: "from_tags", doc: "Do what the volumes' own tags ask for as well: reveille:array, reveille:mount, …. There must be some, and nothing of the role's starts before they are known.", is: yesNo(), def: "false"},
		{name: "grow", doc: "Whether arrays, groups, logical volumes and file systems become larger, while they are in use, when their volumes were enlarged: yes or no. What is on them stays as it is; nothing is ever made smaller.", is: oneOf("yes", "no"), def: "no"},
		volumesSchema(), raidSchema(), lvmSchema(), mountsSchema(), swapSchema(),
	}}
}

func volumesSchema() *schemaKey {
	return &schemaKey{name: "volumes", doc: "Sets of EBS volumes, or of the instance's own disks, by name. The root's disk is in none.", names: setName, most: mostDisks,
		any: &schemaKey{doc: "One set: tags, ids, devices or instance_store say which volumes, exactly one of the four.", keys: []*schemaKey{
			{name: "tags", doc: "Tags of the volumes, as the EC2 API says them; all must be equal.", names: volumeTag, least: 1, most: 50,
				any: &schemaKey{doc: "The tag's value.", is: freeText(256)}},
			{name: "ids", doc: "Volume ids.", is: volumeID(), list: true, least: 1, most: mostDisks},
			{name: "devices", doc: "Names given at the attachment; sdf, xvdf and /dev/sdf are one.", is: deviceName(), list: true, least: 1, most: mostDisks},
			{name: "instance_store", doc: "How many disks of its own the instance has: all of them, for what may be lost. They lose everything when the instance is stopped, so that create: if-blank counts for them at every boot.", is: wholeNumber(1, mostDisks, "")},
			{name: "count", doc: "How many volumes there must be; needed with tags, and else as many as are listed.", is: wholeNumber(1, mostDisks, "")},
		}}}
}

func raidSchema() *schemaKey {
	return &schemaKey{name: "raid", doc: "Arrays of Linux software RAID, by name.", names: arrayName, most: mostDisks,
		any: &schemaKey{doc: "One array.", keys: []*schemaKey{
			{name: "level", doc: "The RAID level: 0, 1, 5, 6 or 10.", is: raidLevel(), need: true},
			{name: "of", doc: "The volume set that it is made of, all of it.", is: reference("volumes"), need: true},
			{name: "chunk", doc: "The chunk of a new array, such as 512KiB; without it mdadm's own.", is: chunkSize()},
			{name: "bitmap", doc: "The write-intent bitmap of a new array, internal or none; without it mdadm decides.", is: oneOf("internal", "none")},
			createKey("never"), degradedKey(),
		}}}
}

func lvmSchema() *schemaKey {
	return &schemaKey{name: "lvm", doc: "LVM's volume groups, by name.", names: groupName, most: mostDisks,
		any: &schemaKey{doc: "One group.", keys: []*schemaKey{
			{name: "of", doc: "Volume sets and arrays that it is made of.", is: reference("volumes", "raid"), list: true, one: true, least: 1, most: mostDisks, need: true},
			{name: "volumes", doc: "Its logical volumes, by name.", names: groupName, least: 1, most: mostDisks,
				any: &schemaKey{doc: "One logical volume.", brief: "size", keys: []*schemaKey{
					{name: "size", doc: "How large a new one is: 20GiB, or 80% of the group. A value in the volume's place is its size.", is: volumeSize(), need: true},
					{name: "stripes", doc: "Over how many of the group's devices a new one is striped.", is: wholeNumber(1, mostDisks, "")},
				}}},
			// No default in the table: it is the consent of the array below.
			createKey(""), degradedKey(),
		}}}
}

func mountsSchema() *schemaKey {
	return &schemaKey{name: "mounts", list: true, most: mostDisks, doc: "File systems and where they are mounted, by units of this boot alone; fstab is left as it is. The role's services start when all are mounted, and never without them.", entry: []*schemaKey{
		{name: "path", doc: "The folder, empty or made anew.", is: mountPath(), need: true},
		{name: "from", doc: "What it lies on: a volume set of one volume, an array or a logical volume.", is: reference("volumes", "raid", "lvm"), need: true},
		{name: "type", doc: "The file system: xfs or ext4.", is: oneOf("xfs", "ext4"), need: true},
		{name: "options", doc: "Mount options beside systemd's own, such as noatime.", is: mountOption(), list: true},
		{name: "label", doc: "The label of a new file system: 12 characters at most for xfs, 16 for ext4.", is: word("a label of letters, digits, . _ and -", "[A-Za-z0-9_]", "[A-Za-z0-9._-]", 16)},
		{name: "mkfs", doc: "More words for mkfs, where it is made: one-letter options and their values, none of those that force, or that other keys stand for.", is: mkfsWord(), list: true, again: true},
		{name: "owner", doc: "Who owns the mounted folder; without it that stays as it is.", is: account},
		{name: "group", doc: "Its group; without it that stays as it is.", is: account},
		{name: "mode", doc: "Its mode in quotes, such as \"0750\"; without it that stays as it is.", is: pattern(`a mode in quotes such as "0750"`, "^[0-7]?[0-7]{3}$")},
		createKey("never"),
	}}
}

func swapSchema() *schemaKey {
	return &schemaKey{name: "swap", list: true, most: mostDisks, doc: "Swap areas that are in use until the next boot; fstab is left as it is.", entry: []*schemaKey{
		{name: "from", doc: "What it lies on: a volume set of one volume, an array or a logical volume.", is: reference("volumes", "raid", "lvm"), need: true},
		{name: "label", doc: "The label of a new one.", is: word("a label of letters, digits, . _ and -", "[A-Za-z0-9_]", "[A-Za-z0-9._-]", 15)},
		createKey("never"),
	}}
}

func createKey(def string) *schemaKey {
	doc := "Whether it may be created: never; or if-blank, while the instance's storage has never been complete (on instance store: at every boot), on volumes that are proven blank."
	if def == "" {
		doc += " By default as the array that it lies on, and never on volumes."
	}
	return &schemaKey{name: "create", doc: doc, is: oneOf("never", "if-blank"), def: def}
}

func degradedKey() *schemaKey {
	return &schemaKey{name: "degraded", is: oneOf("read-only", "start", "refuse"), def: "read-only",
		doc: "Where a part is missing that the rest can do without: read-only mounts what lies on it read-only, start starts it all the same, refuse leaves it alone."}
}
