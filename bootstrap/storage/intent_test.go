package storage

import (
	"errors"
	"regexp"
	"strings"
	"testing"

	"reveille/bootstrap/host"
)

func theIntent() (Common, intent) {
	return Common{Folder: "/var/lib/reveille/instances/i-1"},
		intent{For: "raid:data", UUID: "11112222-3333-4444-8555-666677778888", Volumes: []string{"vol-a", "vol-b"}}
}

// Whenever the power goes, either no volume knows of the intent or every look
// finds the whole of it; and it is on the disk when intend returns.
func TestIntentKilledAnywhere(t *testing.T) {
	s, i := theIntent()
	none, known := 0, 0
	for n, died := 1, true; died; n++ {
		m := tooled(t)
		died = m.Kill(n, func(h *host.Host) {
			if err := s.intend(h, i); err != nil {
				t.Error(err)
			}
		})
		got, ok, err := s.intendedFor(m.Host(), i.Volumes, i.For)
		switch {
		case err != nil:
			t.Errorf("killed at %d: %v", n, err)
		case !ok:
			none++
		case got.UUID != i.UUID || !got.half() || got.Boot != "boot-1" || got.Began == "" || got.Do != "create":
			t.Errorf("killed at %d: %+v", n, got)
		default:
			known++
		}
		if !died && !inOrder(m.Points(), "write:"+s.intentFile("vol-a")+" renamed", "write:"+s.intentFile("vol-b")+" renamed", "sync:"+s.Folder+"/intents done") {
			t.Errorf("it is not on the disk: %q", m.Points())
		}
	}
	if none == 0 || known < 2 {
		t.Errorf("%d kills before it was known, %d after", none, known)
	}
}

// Another step's intent stays, one of the same step is replaced, and one of
// other volumes explains nothing.
func TestIntentsOfOneVolume(t *testing.T) {
	s, i := theIntent()
	m := tooled(t)
	h := m.Host()
	other := intent{For: "lvm:db", UUID: newUUID(), Volumes: []string{"vol-a"}}
	again := i
	again.UUID = newUUID()
	for _, each := range []intent{i, other, again} {
		if err := s.intend(h, each); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.ended(h, again); err != nil {
		t.Fatal(err)
	}
	if got, ok, err := s.intended(h, "vol-b", i.For); err != nil || !ok || got.UUID != again.UUID || got.half() || got.Began == "" || got.Boot != "boot-1" || got.Do != "create" {
		t.Errorf("%+v, %v, %v; want the later one, ended", got, ok, err)
	}
	if got, ok, err := s.intended(h, "vol-a", "lvm:db"); err != nil || !ok || got.UUID != other.UUID || !got.half() {
		t.Errorf("%+v, %v, %v; want the group's, half done", got, ok, err)
	}
	if _, ok, err := s.intendedFor(h, []string{"vol-a", "vol-c"}, i.For); err != nil || ok {
		t.Errorf("%v, %v: an intent of other volumes explains nothing", ok, err)
	}
}

// That it was whole counts as soon as one volume knows of it: nothing is taken
// for half made after that.
func TestIntentEndedKilledAnywhere(t *testing.T) {
	s, i := theIntent()
	split := 0
	for n, died := 1, true; died; n++ {
		m := tooled(t)
		if err := s.intend(m.Host(), i); err != nil {
			t.Fatal(err)
		}
		died = m.Kill(n, func(h *host.Host) { _ = s.ended(h, i) })
		one, _, err1 := s.intended(m.Host(), "vol-a", i.For)
		two, _, err2 := s.intended(m.Host(), "vol-b", i.For)
		got, _, err := s.intendedFor(m.Host(), i.Volumes, i.For)
		if err := errors.Join(err, err1, err2); err != nil || got.half() != (one.half() && two.half()) {
			t.Errorf("killed at %d: half %v of %v and %v, %v", n, got.half(), one.half(), two.half(), err)
		}
		if one.half() != two.half() {
			split++
		}
	}
	if split == 0 {
		t.Error("never killed between two volumes")
	}
	m := tooled(t)
	err := s.intend(m.Host(), i)
	begun := m.Read(s.intentFile("vol-a"))
	err = errors.Join(err, s.ended(m.Host(), i))
	m.Put(s.intentFile("vol-a"), begun, 0o600)
	if got, _, wrong := s.intendedFor(m.Host(), i.Volumes, i.For); got.half() || err != nil || wrong != nil {
		t.Errorf("the last volume alone knows of it: half %v, %v, %v", got.half(), err, wrong)
	}
}

func TestIntentsThatCannotBeTrusted(t *testing.T) {
	s, i := theIntent()
	for name, c := range map[string]struct{ text, words string }{
		"damaged": {"{", "is damaged"},
		"newer":   {`{"version": 2}`, "of another version"},
	} {
		m := tooled(t)
		m.Put(s.intentFile("vol-b"), c.text, 0o600)
		before := m.Tree()
		for _, err := range []error{s.intend(m.Host(), i), second(s.intendedFor(m.Host(), i.Volumes, i.For))} {
			if err == nil || !strings.Contains(err.Error(), c.words) || !strings.Contains(err.Error(), "vol-b") {
				t.Errorf("%s: %v, want %q of vol-b", name, err, c.words)
			}
		}
		if after := m.Tree(); len(after) != len(before) {
			t.Errorf("%s: something was written", name)
		}
	}
	m := tooled(t)
	m.Put(s.intentFile("vol-a"), `{"version":1,"intents":[{"for":"raid:data","uuid":"a","volumes":["vol-a","vol-b"]}]}`, 0o600)
	m.Put(s.intentFile("vol-b"), `{"version":1,"intents":[{"for":"raid:data","uuid":"b","volumes":["vol-a","vol-b"]}]}`, 0o600)
	if _, _, err := s.intendedFor(m.Host(), i.Volumes, i.For); err == nil || !strings.Contains(err.Error(), "the same intent") {
		t.Errorf("%v, want a refusal", err)
	}
	if err := (Common{}).intend(m.Host(), i); err == nil {
		t.Error("an intent was noted nowhere")
	}
}

func second(_ intent, _ bool, err error) error { return err }

func TestUUIDsAsEachProgramWritesThem(t *testing.T) {
	u := newUUID()
	if !regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`).MatchString(u) || u == newUUID() {
		t.Errorf("%s is no random UUID", u)
	}
	u = "00112233-4455-4677-8899-aabbccddeeff"
	if got := mdUUID(u); got != "00112233:44554677:8899aabb:ccddeeff" || !sameUUID(got, u) {
		t.Error(got)
	}
	if got := pvUUID(u); got != "001122-3344-5546-7788-99aa-bbcc-ddeeff" || !sameUUID(got, u) {
		t.Error(got)
	}
	if sameUUID("", "") {
		t.Error("nothing is the same as nothing")
	}
}
