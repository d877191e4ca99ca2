package facts

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"reveille/bootstrap/host/hosttest"
)

const cloudID = "i-0123456789abcdef0"

// ended is what cloud-init 22.4 writes once its network stage is over.
const ended = `{"v1": {"datasource": "DataSourceEc2Local", "init": {"errors": [], "finished": 1795573025.9, "start": 1795573024.7},
 "init-local": {"errors": [], "finished": 1795573024.1, "start": 1795573023.2}, "modules-config": {"errors": [], "finished": null, "start": null}, "stage": null}}`

func TestReadCloudInit(t *testing.T) {
	under := strings.NewReplacer(`"finished": 1795573025.9`, `"finished": null`).Replace(ended)
	for name, c := range map[string]struct {
		files  map[string]string
		id     string
		want   CloudInit
		writes bool
	}{
		"first boot, not begun":       {map[string]string{}, cloudID, CloudInit{First: true}, true},
		"under way":                   {map[string]string{"/run/cloud-init/status.json": "-> ../../var/lib/cloud/data/status.json", "/var/lib/cloud/data/status.json": under}, cloudID, CloudInit{First: true, Begun: true}, true},
		"its stage has ended":         {map[string]string{"/run/cloud-init/status.json": "-> ../../var/lib/cloud/data/status.json", "/var/lib/cloud/data/status.json": ended}, cloudID, CloudInit{First: true, Begun: true, Ended: true}, false},
		"its first stage alone":       {map[string]string{"/run/cloud-init/status.json": `{"v1": {"init": {"finished": null, "start": null}, "stage": "init-local"}}`}, cloudID, CloudInit{First: true}, true},
		"an earlier boot's status":    {map[string]string{"/var/lib/cloud/data/status.json": ended}, cloudID, CloudInit{First: true}, true},
		"a status of nobody's":        {map[string]string{"/run/cloud-init/status.json": "{"}, cloudID, CloudInit{First: true}, true},
		"a later boot":                {map[string]string{"/var/lib/cloud/instances/" + cloudID + "/sem/config_runcmd": ""}, cloudID, CloudInit{}, false},
		"an image of another machine": {map[string]string{"/var/lib/cloud/instances/i-0ffffffffffffffff/sem/config_runcmd": ""}, cloudID, CloudInit{First: true}, true},
		"no id is known":              {map[string]string{"/var/lib/cloud/instances/" + cloudID + "/sem/config_runcmd": ""}, "", CloudInit{First: true}, true},
		"its generator says no":       {map[string]string{"/run/cloud-init/disabled": ""}, cloudID, CloudInit{Off: "its generator found no data source, or was told to"}, false},
		"the file says no":            {map[string]string{"/etc/cloud/cloud-init.disabled": ""}, cloudID, CloudInit{Off: "/etc/cloud/cloud-init.disabled is there"}, false},
		"the kernel says no":          {map[string]string{"/proc/cmdline": "quiet cloud-init=disabled"}, cloudID, CloudInit{Off: "the kernel's command line says cloud-init=disabled"}, false},
		"the kernel outranks the file": {map[string]string{"/proc/cmdline": "cloud-init=enabled", "/etc/cloud/cloud-init.disabled": ""}, cloudID,
			CloudInit{First: true}, true},
		"user-data wants hosts rewritten at every boot": {map[string]string{"/var/lib/cloud/instances/" + cloudID + "/sem/config_runcmd": "",
			"/var/lib/cloud/instances/" + cloudID + "/cloud-config.txt": "#cloud-config\nmanage_etc_hosts: localhost\npreserve_hostname: true\n"},
			cloudID, CloudInit{Rewrites: []string{"manage_etc_hosts: localhost in /var/lib/cloud/instances/" + cloudID + "/cloud-config.txt"}}, true},
		"a file after ours sets the name back": {map[string]string{"/var/lib/cloud/instances/" + cloudID + "/sem/config_runcmd": "",
			"/etc/cloud/cloud.cfg.d/05_a.cfg": "preserve_hostname: false\nmanage_etc_hosts: true\n", "/etc/cloud/cloud.cfg.d/99-zz.cfg": "preserve_hostname: no # ours\n"},
			cloudID, CloudInit{Rewrites: []string{"preserve_hostname: no in /etc/cloud/cloud.cfg.d/99-zz.cfg"}}, true},
	} {
		t.Run(name, func(t *testing.T) {
			c.files["/usr/bin/cloud-init"] = ""
			if c.want.Rewrites == nil {
				c.want.Rewrites = []string{}
			}
			got := ReadCloudInit(hosttest.New(t, c.files).Host(), c.id)
			if diff := cmp.Diff(c.want, got); diff != "" || got.Writes() != c.writes {
				t.Errorf("writes %v (-want +got)\n%s", got.Writes(), diff)
			}
		})
	}
	if c := ReadCloudInit(hosttest.New(t, nil).Host(), cloudID); c.Off == "" || c.Writes() {
		t.Errorf("without cloud-init: %+v", c)
	}
}
