package facts

import (
	"context"
	"encoding/xml"
	"fmt"
	"net/url"
	"strings"
	"time"
)

// maxPages is more than an instance's volumes fill.
const maxPages = 16

// The parts of EC2's answer that are used.
type (
	describedVolumes struct {
		XMLName xml.Name          `xml:"DescribeVolumesResponse"`
		Volumes []describedVolume `xml:"volumeSet>item"`
		Next    string            `xml:"nextToken"`
	}
	describedVolume struct {
		ID          string `xml:"volumeId"`
		GiB         int    `xml:"size"`
		Snapshot    string `xml:"snapshotId"`
		Created     string `xml:"createTime"`
		Attachments []struct {
			Instance string `xml:"instanceId"`
			Device   string `xml:"device"`
		} `xml:"attachmentSet>item"`
		Tags []struct {
			Key   string `xml:"key"`
			Value string `xml:"value"`
		} `xml:"tagSet>item"`
	}
)

var volumeID = matching("vol-", alphanumeric, 66, "volume id")

// describeVolumes are the volumes attached to an instance, by their ids. They
// are all there or there is an error.
func (e *ec2) describeVolumes(ctx context.Context, instance string) (map[string]EBSVolume, error) {
	all := map[string]EBSVolume{}
	form := url.Values{
		"Action": {"DescribeVolumes"}, "Version": {"2016-11-15"},
		"Filter.1.Name": {"attachment.instance-id"}, "Filter.1.Value.1": {instance},
	}
	for range maxPages {
		body, err := e.ask(ctx, form)
		if err != nil {
			return nil, err
		}
		next, err := addPage(all, body, instance)
		if err != nil {
			return nil, &unasked{Malformed, err.Error()}
		}
		if next == "" {
			return all, nil
		}
		form.Set("NextToken", next)
	}
	return nil, &unasked{Malformed, fmt.Sprintf("its answer has no end: %d pages, and one more", maxPages)}
}

// addPage adds a page's volumes to those of the instance, and returns what the
// next is asked by; "" behind the last.
func addPage(all map[string]EBSVolume, body []byte, instance string) (next string, err error) {
	var page describedVolumes
	if err := xml.Unmarshal(body, &page); err != nil {
		return "", fmt.Errorf("what it answered is no list of volumes: %.80s", err) // which may quote it
	}
	for _, v := range page.Volumes {
		if err := v.into(all, instance); err != nil {
			return "", err
		}
	}
	return page.Next, nil
}

// into adds a volume to those of the instance.
func (v describedVolume) into(all map[string]EBSVolume, instance string) error {
	id, err := volumeID(v.ID)
	if err != nil {
		return fmt.Errorf("it names a volume that is none: %w", err)
	}
	created, err := time.Parse(time.RFC3339, v.Created)
	if err != nil {
		return fmt.Errorf("it does not say when %s was made: %.40q is no time", id, v.Created)
	}
	got := EBSVolume{Tags: make(map[string]string, len(v.Tags)), Snapshot: v.Snapshot, Created: created.UTC(), GiB: v.GiB, Attachments: len(v.Attachments)}
	for _, t := range v.Tags {
		got.Tags[t.Key] = t.Value
	}
	for _, a := range v.Attachments {
		if a.Instance == instance {
			got.Device = strings.TrimPrefix(a.Device, "/dev/")
			all[id] = got
		}
	}
	return nil
}
