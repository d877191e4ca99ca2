package resource

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"reveille/bootstrap/host/hosttest"
)

var memberEdit = GroupMember{User: "admin", Group: "users", GID: 100, Own: 1000}

func TestGroupMember(t *testing.T) {
	for name, c := range map[string]struct{ old, want string }{
		"alone":                      {"root:x:0:\nusers:x:100:\n", "root:x:0:\nusers:x:100:admin\n"},
		"behind others":              {"users:x:100:ops,eve\nx:x:5:\n", "users:x:100:ops,eve,admin\nx:x:5:\n"},
		"behind a comma":             {"users:x:100:ops,\n", "users:x:100:ops,admin\n"},
		"no last newline":            {"users:x:100:", "users:x:100:admin"},
		"there already":              {"users:x:100:admin\n", ""},
		"in another group":           {"sudo:x:27:ops, admin\nusers:x:100:\n", ""},
		"a longer name is another":   {"sudo:x:27:administrator\nusers:x:100:\n", "sudo:x:27:administrator\nusers:x:100:admin\n"},
		"his own group is no line":   {"admin:x:1000:\nusers:x:100:\n", "admin:x:1000:\nusers:x:100:admin\n"},
		"a member of his own":        {"admin:x:1000:admin\nusers:x:100:\n", "admin:x:1000:admin\nusers:x:100:admin\n"},
		"a group without a number":   {"sudo:x:x:admin\nusers:x:100:\n", "sudo:x:x:admin\nusers:x:100:admin\n"},
		"no such group":              {"root:x:0:\nuser:x:100:\n", ""},
		"another number":             {"users:x:985:\n", ""},
		"a comment":                  {"#users:x:100:\n#sudo:x:27:admin\n", ""},
		"half a line":                {"users:x:100\nusers:x:100::\n", ""},
		"a carriage return":          {"users:x:100:\r\n", ""},
		"of two lines the first":     {"users:x:100:a\nusers:x:100:b\n", "users:x:100:a,admin\nusers:x:100:b\n"},
		"nothing":                    {"", ""},
		"what nobody can read stays": {"\x00\xff:\n\nusers:x:100:\n", "\x00\xff:\n\nusers:x:100:admin\n"},
	} {
		want := c.want
		if want == "" {
			want = c.old
		}
		got, err := memberEdit.Apply([]byte(c.old))
		if err != nil || string(got) != want {
			t.Errorf("%s: %q, %v, want %q", name, got, err, want)
		}
		judgeMember(t, []byte(c.old))
	}
	if got, err := (GroupMember{User: "admin", Group: "users", GID: 100, Own: 100}).Apply([]byte("users:x:100:\n")); err != nil || string(got) != "users:x:100:\n" {
		t.Errorf("his own group is users: %q, %v", got, err)
	}
	for _, bad := range []GroupMember{{"", "users", 100, 1}, {"a:b", "users", 100, 1}, {"a,b", "users", 100, 1}, {"a\nroot", "users", 100, 1}, {"+a", "users", 100, 1}, {"a", "", 100, 1}, {"a", "root", 0, 1}} {
		if got, err := bad.Apply([]byte("users:x:100:\nroot:x:0:\n")); err == nil {
			t.Errorf("%+v: no error, %q", bad, got)
		}
	}
}

// What others have made of the file since stays, and only what was put in goes.
func TestGroupMemberUndo(t *testing.T) {
	for name, c := range map[string]struct{ original, now, want string }{
		"others came":          {"users:x:100:\n", "users:x:100:admin,eve\nnew:x:1:admin\n", "users:x:100:eve\nnew:x:1:admin\n"},
		"others before":        {"users:x:100:a\n", "users:x:100:a,b,admin\n", "users:x:100:a,b\n"},
		"he was there before":  {"users:x:100:admin\n", "users:x:100:admin\nx:x:1:\n", ""},
		"taken out since":      {"users:x:100:\n", "users:x:100:eve\n", ""},
		"the group is gone":    {"users:x:100:\n", "root:x:0:\n", ""},
		"another number since": {"users:x:100:\n", "users:x:985:admin\n", ""},
		"the file was empty":   {"", "users:x:100:admin\n", "users:x:100:\n"},
	} {
		want := c.want
		if want == "" {
			want = c.now
		}
		if got, err := memberEdit.Undo([]byte(c.now), []byte(c.original)); err != nil || string(got) != want {
			t.Errorf("%s: %q, %v, want %q", name, got, err, want)
		}
	}
}

// judgeMember holds an edit to what glibc reads: at most one name comes, at one
// place, applied twice it is the same, and undone the file is what it was.
func judgeMember(t fataler, old []byte) {
	got, err := memberEdit.Apply(old)
	if err != nil {
		t.Fatalf("refused: %v", err)
	}
	if again, err := memberEdit.Apply(got); err != nil || !bytes.Equal(again, got) {
		t.Fatalf("applied again: %v, %q then %q", err, got, again)
	}
	if back, err := memberEdit.Undo(got, old); err != nil || !bytes.Equal(back, old) {
		t.Fatalf("undone: %v\nwant %q\ngot  %q\nfrom %q", err, old, back, got)
	}
	if bytes.Equal(old, got) {
		return
	}
	was, is := strings.Split(string(old), "\n"), strings.Split(string(got), "\n")
	changed := 0
	for i := range was {
		if len(was) != len(is) || was[i] != is[i] && (!strings.HasPrefix(was[i], "users:") || strings.TrimPrefix(is[i], was[i]) != ",admin" && strings.TrimPrefix(is[i], was[i]) != "admin") {
			t.Fatalf("%q became %q", old, got)
		}
		if was[i] != is[i] {
			changed++
		}
	}
	if changed != 1 {
		t.Fatalf("%d lines changed: %q became %q", changed, old, got)
	}
}

func FuzzGroupMember(f *testing.F) {
	f.Add([]byte("root:x:0:\nusers:x:100:a,b\nadmin:x:1000:\n"), []byte("users:x:100:admin"))
	f.Fuzz(func(t *testing.T, old, other []byte) {
		judgeMember(t, old)
		now, err := memberEdit.Undo(other, old)
		if err != nil || len(now) > len(other) && !bytes.Contains(old, []byte("users:")) {
			t.Fatalf("undone on another file: %v, %q of %q", err, now, other)
		}
	})
}

func TestGroupMemberOnDrawnFiles(t *testing.T) {
	name := rapid.SampledFrom([]string{"users", "users", "sudo", "root", "#users", "+", "admin", ""})
	members := rapid.SliceOfN(rapid.SampledFrom([]string{"admin", "a", "administrator", " admin", "", "b"}), 0, 3)
	line := rapid.Custom(func(t *rapid.T) string {
		gid := rapid.SampledFrom([]string{"100", "100", "0", "27", "", "x"}).Draw(t, "gid")
		end := rapid.SampledFrom([]string{"\n", "\n", "\n", "\r\n", ":\n", "\n\n"}).Draw(t, "end")
		return name.Draw(t, "name") + ":x:" + gid + ":" + strings.Join(members.Draw(t, "members"), ",") + end
	})
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Join(rapid.SliceOfN(line, 0, 6).Draw(t, "lines"), "")
		judgeMember(t, []byte(text[:len(text)-min(len(text), rapid.IntRange(0, 2).Draw(t, "cut"))]))
	})
}

// gshadow keeps its own lists of members: that they differ is no error to the
// program that looks after both.
func TestGrpckTakesTheEditedFile(t *testing.T) {
	grpck, err := exec.LookPath("grpck")
	if err != nil {
		const say = "grpck is not installed; package passwd or shadow-utils has it"
		if os.Getenv("CI") != "" {
			t.Fatal(say)
		}
		t.Skip(say)
	}
	dir := t.TempDir()
	// A user whom this computer has: grpck looks members up.
	text, err := GroupMember{User: "root", Group: "users", GID: 100, Own: 0}.Apply([]byte("root:x:0:\nusers:x:100:\n"))
	if err != nil {
		t.Fatal(err)
	}
	group, gshadow := filepath.Join(dir, "group"), filepath.Join(dir, "gshadow")
	for path, text := range map[string]string{group: string(text), gshadow: "root:*::\nusers:!::\n"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := exec.CommandContext(t.Context(), grpck, "-r", group, gshadow).CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

// While useradd holds its lock the file is not written: one of the two would
// lose what the other wrote.
func TestGroupWaitsForTheAccountsLock(t *testing.T) {
	m := hosttest.New(t, map[string]string{"/etc/group": "users:x:100:\n", "/etc/.pwd.lock": ""})
	f := File{Path: "/etc/group", Edit: memberEdit}
	h := m.Host()
	release, err := m.Host().LockAccounts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	changes := check(t, h, f)
	short, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := changes[0].Do(short); err == nil || !strings.Contains(err.Error(), "/etc/.pwd.lock") || m.Writes() != 0 {
		t.Errorf("error %v, effects %v", err, m.Effects())
	}
	release()
	run(t, changes)
	if got := m.Read("/etc/group"); got != "users:x:100:admin\n" || len(m.Temps()) > 0 {
		t.Errorf("%q", got)
	}
}

// A unit that keeps who is local is restarted when that changes, and not
// because a line of /etc/passwd does.
func TestUnitKeepsLocalUsers(t *testing.T) {
	m := hosttest.New(t, map[string]string{"/etc/passwd": "root:x:0:0::/root:/bin/sh\n"})
	m.SetUnit("nslcd.service", "active")
	u := Unit{Name: "nslcd.service", Reads: []File{{Path: "/etc/nslcd.conf", Content: []byte("x")}}, Users: []string{"admin", "root"}}
	run(t, check(t, m.Host(), u))
	isSo(t, m.Host(), u)
	u.Users = []string{"admin", "eve", "root"}
	changes := check(t, m.Host(), u)
	if len(changes) != 1 || !strings.Contains(changes[0].Say, "restart nslcd.service") || !strings.Contains(changes[0].Say, "local users") {
		t.Fatalf("%+v", changes)
	}
	run(t, changes)
	isSo(t, m.Host(), u)
	if jobs := m.Jobs(); len(jobs) != 2 {
		t.Errorf("jobs %v", jobs)
	}
}
