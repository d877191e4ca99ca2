package sudoers

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"reveille/bootstrap/facts"
)

var asker = User{Name: "admin", UID: 1000, GIDs: []int{1000, 27}, Groups: []string{"admin", "sudo"}, Host: "db01.acme.private"}

func sudoLines(text string) []facts.SudoersLine {
	var out []facts.SudoersLine
	for i, l := range strings.Split(text, "\n") {
		out = append(out, facts.SudoersLine{File: "/etc/sudoers", Line: i + 1, Text: strings.TrimSpace(l)})
	}
	return out
}

// What sudo itself would let him do, by sudoers(5).
func TestMayBecomeRoot(t *testing.T) {
	for text, want := range map[string]string{
		"":                                   "no",
		"admin ALL=(ALL) ALL":                "yes, password",
		"admin ALL=(ALL) NOPASSWD:ALL":       "yes",
		"admin ALL=(ALL:ALL) NOPASSWD: ALL":  "yes",
		"admin\tALL = (root) NOPASSWD : ALL": "yes",
		"admin ALL=ALL":                      "yes, password",
		"admin ALL=NOPASSWD: SETENV: ALL":    "yes",
		"admin ALL=(ALL) NOPASSWD: /bin/ls, PASSWD: ALL":                  "yes, password",
		"Defaults !authenticate\nadmin ALL=ALL":                           "yes",
		"%sudo ALL=(ALL:ALL) ALL":                                         "yes, password",
		`"%sudo" ALL=(ALL) ALL`:                                           "yes, password",
		"%wheel ALL=(ALL) ALL":                                            "no",
		"%#27 ALL=(ALL) NOPASSWD:ALL":                                     "yes",
		"%#28 ALL=(ALL) ALL":                                              "no",
		"#1000 ALL=(ALL) NOPASSWD:ALL":                                    "yes",
		"#1001 ALL=(ALL) ALL":                                             "no",
		"# admin ALL=(ALL) ALL":                                           "no",
		"eve ALL=(ALL) ALL # admin ALL=(ALL) ALL":                         "no",
		"administrator ALL=(ALL) ALL":                                     "no",
		"eve, admin , ops ALL=(ALL) NOPASSWD:ALL":                         "yes",
		"ALL ALL=(ALL) NOPASSWD:ALL":                                      "yes",
		"ALL, !admin ALL=(ALL) ALL":                                       "no",
		"!admin, ALL ALL=(ALL) NOPASSWD:ALL":                              "yes",
		"admin ALL=(deploy) ALL":                                          "no",
		"admin ALL=(ALL, !root) ALL":                                      "no",
		"admin ALL=(:adm) ALL":                                            "no",
		"admin ALL=() ALL":                                                "no",
		"admin ALL=(%ops) ALL":                                            "unsure",
		"admin ALL=(ALL) /bin/ls":                                         "no",
		"admin ALL=(ALL) ALL, !/bin/sh":                                   "unsure",
		"admin ALL=(ALL) NOPASSWD:ALL, /bin/ls":                           "yes",
		"admin db01=(ALL) NOPASSWD:ALL":                                   "yes",
		"admin DB01.acme.private=(ALL) NOPASSWD:ALL":                      "yes",
		"admin db02=(ALL) ALL":                                            "no",
		"admin 10.0.0.0/8=(ALL) ALL":                                      "unsure",
		"admin ALL, !db01=(ALL) ALL":                                      "no",
		"admin db02=/bin/ls : ALL=(ALL) NOPASSWD:ALL":                     "yes",
		"admin db02=(ALL) ALL : db03=ALL":                                 "no",
		"+admins ALL=(ALL) ALL":                                           "unsure",
		"%:directory ALL=(ALL) ALL":                                       "unsure",
		"admin ALL=(ALL) TIMEOUT=5 ALL":                                   "unsure",
		"admin ALL":                                                       "unsure",
		"User_Alias OPS = eve, admin : X = y\nOPS ALL=(ALL) NOPASSWD:ALL": "yes",
		"OPS ALL=(ALL) NOPASSWD:ALL\nUser_Alias OPS = %sudo":              "yes",
		"User_Alias OPS = ALL, !admin\nOPS ALL=(ALL) ALL":                 "no",
		"User_Alias A = B\nUser_Alias B = A\nA ALL=(ALL) ALL":             "unsure",
		"Host_Alias H = db01\nRunas_Alias R = root\nCmnd_Alias C = ALL\nadmin H=(R) NOPASSWD: C": "yes",
		"admin ALL=(ALL) NOPASSWD:ALL\nadmin ALL=(ALL) !ALL":                                     "no",
		"admin ALL=(ALL) !ALL\nadmin ALL=(ALL) NOPASSWD:ALL":                                     "yes",
		"admin ALL=(ALL) NOPASSWD:ALL\n%sudo ALL=(ALL) ALL":                                      "yes, password",
		"admin ALL=(ALL) NOPASSWD:ALL\n+x ALL=(ALL) /bin/ls":                                     "yes",
		"admin ALL=(ALL) NOPASSWD:ALL\n+x ALL=(ALL) !ALL":                                        "unsure",
		"Defaults env_reset, secure_path=\"/a:/b\"\nDefaults:eve !lecture":                       "no",
	} {
		got := MayBecomeRoot(sudoLines(text), asker)
		said := map[Answer]string{No: "no", Yes: "yes", Unsure: "unsure"}[got.May]
		if got.May == Yes && got.Password {
			said += ", password"
		}
		if got.May == No && len(got.Unread) > 0 {
			said = "unsure"
		}
		if said != want {
			t.Errorf("%s: %s (%+v), want %s", text, said, got, want)
		}
	}
}

// Whatever stands around it: a plain rule at the end is found, with its line,
// and who is named nowhere and is in no group is given nothing.
func TestSudoersOnDrawnFiles(t *testing.T) {
	word := rapid.SampledFrom([]string{"admin", "eve", "%sudo", "%wheel", "ALL", "!", "root", "+net", "#1000", "OPS", "=", "(", ")", ":", ",", "NOPASSWD:", "/bin/ls", `\`, `"`, "#", "User_Alias", "Defaults", " ", "  ", "\t"})
	line := rapid.Custom(func(t *rapid.T) string {
		return strings.Join(rapid.SliceOfN(word, 0, 9).Draw(t, "words"), rapid.SampledFrom([]string{"", " "}).Draw(t, "gap"))
	})
	rapid.Check(t, func(t *rapid.T) {
		drawn := rapid.SliceOfN(line, 0, 6).Draw(t, "lines")
		text := strings.Join(append(drawn, "someone ALL=(ALL) NOPASSWD:ALL"), "\n")
		// Aliases may take the name away; those are not what is asked here.
		who := User{Name: "someone", UID: 4242, GIDs: []int{4242}, Groups: []string{"someone"}, Host: "h"}
		if got := MayBecomeRoot(sudoLines(text), who); got.May != Yes || got.At.Line != len(drawn)+1 {
			t.Fatalf("%q: %+v", text, got)
		}
		nobody := User{Name: "nobody-at-all", UID: 4243, GIDs: []int{4243}, Groups: []string{"nogroup-at-all"}, Host: "h"}
		got := MayBecomeRoot(sudoLines(strings.Join(drawn, "\n")), nobody)
		if got.May == Yes && !strings.Contains(strings.Join(drawn, "\n"), "ALL") && !strings.Contains(strings.Join(drawn, "\n"), "!") {
			t.Fatalf("%q lets anybody become root: %+v", drawn, got)
		}
	})
}

// Aliases that name each other many times over are read to an end.
func TestSudoersEndEarly(t *testing.T) {
	text := "User_Alias A = " + strings.Repeat("A, ", 200) + "A\nA ALL=(ALL) ALL"
	if got := MayBecomeRoot(sudoLines(text), asker); got.May != Unsure {
		t.Errorf("%+v", got)
	}
}

func FuzzSudoers(f *testing.F) {
	f.Add("User_Alias A = B, !c : D = e\nadmin, %x ALL, !h = (ALL:ALL) NOPASSWD: ALL, !/bin/sh : h = ALL # x")
	f.Add("\"a b\" ALL=(\\=) ALL\\")
	f.Fuzz(func(t *testing.T, text string) {
		got := MayBecomeRoot(sudoLines(text), asker)
		if got.May != No && got.At.Line == 0 || got.At.Line > strings.Count(text, "\n")+1 {
			t.Fatalf("%q: %+v", text, got)
		}
		for _, w := range split(text, ",") {
			if w == "" || strings.TrimSpace(w) != w {
				t.Fatalf("%q of %q", w, text)
			}
		}
	})
}
