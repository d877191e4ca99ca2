package facts

import (
	"strings"
	"testing"
	"unicode"
)

// Whatever answers in EC2's place, what is taken of it is ours to print, and is
// either whole or nothing.
func FuzzEC2Answer(f *testing.F) {
	const open = `<DescribeVolumesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><volumeSet><item>`
	f.Add(open + `<volumeId>vol-0a</volumeId><size>8</size><createTime>2026-01-02T12:00:00.000Z</createTime><attachmentSet><item><instanceId>i-1</instanceId><device>/dev/sdf</device></item></attachmentSet></item></volumeSet><nextToken>n</nextToken></DescribeVolumesResponse>`)
	f.Add(open + `<volumeId>vol-../../x</volumeId></item></volumeSet></DescribeVolumesResponse>`)
	f.Add(`<Response><Errors><Error><Code>Unauthorized\nOperation</Code></Error></Errors></Response>`)
	f.Add(`{"Code": "Success", "AccessKeyId": "a", "SecretAccessKey": "b", "Token": "c"}`)
	f.Fuzz(func(t *testing.T, text string) {
		all := map[string]EBSVolume{}
		if _, err := addPage(all, []byte(text), "i-1"); err == nil {
			for id, v := range all {
				if _, err := volumeID(id); err != nil || v.Tags == nil || v.Created.IsZero() && !strings.Contains(text, "0001-01-01") || v.Attachments < 1 {
					t.Errorf("%q: %+v", id, v)
				}
			}
		}
		if code := codeOf([]byte(text)); strings.ContainsFunc(code, func(r rune) bool { return !unicode.IsPrint(r) || unicode.IsSpace(r) }) {
			t.Errorf("code %q", code)
		}
		got, err := credentials(text)
		if err == nil && got.code == "Success" && (got.proof.AccessKeyID == "" || got.proof.SecretAccessKey == "") {
			t.Errorf("credentials without a key of %q", text)
		}
	})
}
