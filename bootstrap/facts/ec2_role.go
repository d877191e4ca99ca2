package facts

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// role is the instance's, and what proves that somebody asks as it. The proof
// is secret: it goes into a signature, and into nothing that is kept or told.
type role struct {
	name  string
	proof aws.Credentials
}

var roleName = matching("", alphanumeric+"+=,.@_-", 64, "name of a role")

// role asks for it. The crawl's own client is asked, as it can tell apart why
// there is no answer, which a provider of credentials does not.
func (c *crawl) role() (role, error) {
	names := parsed(c, rolesPath, lines(roleName))
	if names.IsAbsent() {
		return role{}, &unasked{Forbidden, "not asked, as this instance has no role; give it one with the permission " + VolumesPath}
	}
	list, ok := names.Get()
	if !ok {
		_, err := given(as[string](names), rolesPath)
		return role{}, err
	}
	path := rolesPath + list[0]
	answer := parsed(c, path, credentials)
	got, ok := answer.Get()
	if !ok {
		_, err := given(as[string](answer), path)
		return role{}, err
	}
	if got.code != "Success" {
		return role{}, &unasked{Forbidden, fmt.Sprintf("not asked, as the role %s gives no credentials (%s): see that its trust policy names ec2.amazonaws.com, and that it allows %s", list[0], got.code, VolumesPath)}
	}
	return role{list[0], got.proof}, nil
}

// roleDocument is what the metadata service says of a role's credentials.
type roleDocument struct {
	code  string // "Success", or why there are none
	proof aws.Credentials
}

// credentials reads it. Its errors quote nothing of it.
func credentials(s string) (roleDocument, error) {
	var d struct {
		Code   string `json:"Code"`
		ID     string `json:"AccessKeyId"`
		Secret string `json:"SecretAccessKey"`
		Token  string `json:"Token"`
	}
	if json.Unmarshal([]byte(s), &d) != nil {
		return roleDocument{}, errors.New("the role's credentials are not JSON")
	}
	code, err := errorCode(d.Code)
	if err != nil {
		return roleDocument{}, errors.New("the role's credentials do not say whether they are any")
	}
	if code == "Success" && (d.ID == "" || d.Secret == "") {
		return roleDocument{}, errors.New("the role's credentials lack a key")
	}
	return roleDocument{code, aws.Credentials{AccessKeyID: d.ID, SecretAccessKey: d.Secret, SessionToken: d.Token}}, nil
}
