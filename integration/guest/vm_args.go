package guest

import (
	"fmt"
	"strings"
)

// ports is how many volumes a machine can have: a PCIe port takes one.
const ports = 16

// Where QEMU finds the two connections that it is handed.
const (
	monitorFD  = 3
	commandsFD = 4
)

// words is what the kernel is told. A panic ends QEMU, which does not start
// anything again. Root by partition, since the numbers of
// NVMe disks turn out differently at each boot. The journal goes to the console
// as well, so that it is there when the machine is not.
func (v *vm) words(seed string) string {
	w := []string{"root=PARTUUID=" + rootPartition, "rw", "init=/usr/lib/guest/init", "console=ttyS0", "quiet",
		"systemd.show_status=0", "systemd.journald.forward_to_console=1", "net.ifnames=0", "random.trust_cpu=on", "audit=0", "apparmor=0", "panic=-1",
		"mitigations=off", "nokaslr", "norandmaps", "tsc=reliable", "no_timer_check", "guest_shell=1"}
	if seed != "" {
		w = append(w, "guest_seed="+seed)
	}
	return strings.Join(append(w, v.spec.Kernel...), " ")
}

// arguments is QEMU's command line but for its name.
func (v *vm) arguments(a accelerator, tap, seed string) []string {
	args := []string{"-machine", "q35", "-accel", a.accel, "-cpu", a.cpu, "-smp", "2", "-m", "1024",
		"-nodefaults", "-display", "none", "-no-reboot", "-S",
		"-kernel", v.spec.Image.Kernel, "-append", v.words(seed)}
	args = append(args, v.firmware()...)
	args = append(args,
		"-chardev", fmt.Sprintf("socket,id=monitor,fd=%d", monitorFD), "-mon", "chardev=monitor,mode=control",
		"-chardev", "file,id=console,append=on,path="+v.path("console.log"), "-serial", "chardev:console",
		"-chardev", fmt.Sprintf("socket,id=commands,fd=%d", commandsFD),
		"-device", "virtio-serial-pci", "-device", "virtserialport,chardev=commands,name=commands,nr=1",
		"-drive", "if=none,id=root,discard=unmap,"+v.rootDrive(),
		"-device", "nvme,drive=root,serial="+serialOf(RootVolume))
	if tap != "" {
		args = append(args, "-netdev", "tap,id=net,script=no,downscript=no,ifname="+tap,
			"-device", "virtio-net-pci,netdev=net,romfile=,mac="+MAC)
	}
	for i := range ports {
		args = append(args, "-device", fmt.Sprintf("pcie-root-port,id=port%d,chassis=%d,slot=%d", i, i+1, i+1))
	}
	return args
}

// rootDrive is where the root's bytes are. Nobody asks what of them is left
// after a cut, but where a case serves them itself.
func (v *vm) rootDrive() string {
	if s, ok := v.spec.Served[RootVolume]; ok {
		return "format=raw,cache=writeback,file.driver=nbd,file.export=" + RootVolume + ",file.server.type=unix,file.server.path=" + s.Socket
	}
	return "format=qcow2,cache=unsafe,file=" + v.path("root.qcow2")
}

// firmware is what DMI says. EC2's Nitro machines name the instance there, and
// their uuid begins with ec2.
func (v *vm) firmware() []string {
	const product = "manufacturer=Amazon EC2,product=m5.large"
	uuid := "ec2e1916-9099-7caf-fd21-012345abcdef"
	args := []string{"-smbios", "type=0,vendor=Amazon EC2,version=1.0",
		"-smbios", "type=1," + product + ",serial=" + uuid + ",uuid=" + uuid,
		"-smbios", "type=3,manufacturer=Amazon EC2,asset=Amazon EC2"}
	if v.spec.DMI != "" {
		args = append(args, "-smbios", "type=2,manufacturer=Amazon EC2,asset="+v.spec.DMI)
	}
	return args
}
