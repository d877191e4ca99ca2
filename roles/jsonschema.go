package roles

import (
	"encoding/json"
	"maps"
)

// filledText is a value in which a name is still to be filled in: it may
// stand for any type.
const filledText = `^([^$]|\$\$|\$[^${])*\$\{[a-z][a-z0-9_]{0,62}\}`

// JSONSchema is the profile's schema for editors, in draft 2020-12. It is the
// same bytes each time, ends in a newline, and gives the decoder's verdict on
// any single document, but for what a schema cannot say: twice the same key,
// which layer a document belongs to, and what several documents make together.
func JSONSchema() []byte {
	root := profileSchema()
	s := root.jsonSchema()
	s["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	s["title"] = "Reveille profile"
	s["type"] = "object"
	out, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		panic("roles: the schema table holds what JSON cannot: " + err.Error())
	}
	return append(out, '\n')
}

// jsonSchema is one key. Null is a value of each: it returns to the default.
func (k *schemaKey) jsonSchema() map[string]any {
	s := map[string]any{}
	switch {
	case k.section() && k.brief != "":
		s["anyOf"] = []any{k.child(k.brief).bare(), k.sectionSchema()}
	case k.section():
		s = k.sectionSchema()
	case k.place:
		lists := *k
		lists.place = false
		s["anyOf"] = []any{lists.bare(), map[string]any{
			"type": "object", "minProperties": 1, "additionalProperties": false,
			"patternProperties": map[string]any{placeName.schema["pattern"].(string): lists.jsonSchema()},
		}, map[string]any{"type": "null"}}
	default:
		s["anyOf"] = []any{k.bare(), map[string]any{"type": "null"}}
	}
	if k.doc != "" {
		s["description"] = k.doc
	}
	if k.need { // as words alone: any layer may set it, and a schema sees one
		s["description"] = k.doc + " Needed where its section is asked for, from whichever layer."
	}
	return s
}

func (k *schemaKey) sectionSchema() map[string]any {
	s := map[string]any{"type": []string{"object", "null"}, "additionalProperties": false}
	if k.least > 0 {
		s["minProperties"] = k.least
	}
	if k.most > 0 {
		s["maxProperties"] = k.most
	}
	if k.any != nil {
		s["patternProperties"] = map[string]any{k.names.schema["pattern"].(string): k.any.jsonSchema()}
		return s
	}
	properties := map[string]any{}
	for _, c := range k.keys {
		if c.never != "" {
			continue // no property of that name is allowed, which is the verdict
		}
		p := c.jsonSchema()
		if c.def != "" {
			p["default"] = c.defaultValue()
		}
		properties[c.name] = p
	}
	s["properties"] = properties
	return s
}

// bare is a value or a list, without null.
func (k *schemaKey) bare() map[string]any {
	if !k.list {
		return k.scalarSchema()
	}
	list := map[string]any{"type": "array"}
	if k.entry == nil {
		list["items"] = k.scalarSchema()
	} else {
		list["items"] = k.entrySchema()
	}
	if k.first != nil {
		list["prefixItems"] = []any{k.item(0).scalarSchema()}
	}
	if !k.again {
		list["uniqueItems"] = true
	}
	if k.least > 0 {
		list["minItems"] = k.least
	}
	if k.most > 0 {
		list["maxItems"] = k.most
	}
	if k.one {
		return map[string]any{"anyOf": []any{k.scalarSchema(), list}}
	}
	return list
}

// entrySchema is one map of a list of them.
func (k *schemaKey) entrySchema() map[string]any {
	properties, one, need := map[string]any{}, []any{}, []string{}
	for _, c := range k.entry {
		p := map[string]any{"anyOf": []any{c.bare()}, "description": c.doc}
		if c.def != "" {
			p["default"] = c.defaultValue()
		}
		if c.pick {
			one = append(one, map[string]any{"required": []string{c.name}})
		}
		if c.need {
			need = append(need, c.name)
		}
		properties[c.name] = p
	}
	s := map[string]any{"type": "object", "additionalProperties": false, "properties": properties}
	if len(one) > 0 {
		s["oneOf"] = one
	}
	if len(need) > 0 {
		s["required"] = need
	}
	return s
}

// scalarSchema is one value: by its type, or with a name to fill in.
func (k *schemaKey) scalarSchema() map[string]any {
	if k.is.isKey {
		return map[string]any{"enum": tagKeys()}
	}
	typed := maps.Clone(k.is.schema)
	if k.fixed {
		if typed["type"] == "string" && typed["enum"] == nil {
			return map[string]any{"allOf": []any{typed, map[string]any{"not": map[string]any{"pattern": filledText}}}}
		}
		return typed
	}
	return map[string]any{"anyOf": []any{typed, map[string]any{"type": "string", "pattern": filledText}}}
}

// defaultValue is the default as JSON has it.
func (k *schemaKey) defaultValue() any {
	if k.is.shape == isText {
		return k.def
	}
	return json.RawMessage(k.def)
}

// tagKeys are the keys and sections that tags may be allowed to set, but for
// free names.
func tagKeys() []string {
	root := profileSchema()
	var out []string
	for _, path := range append(append(sectionNames(), root.paths("")...), "hostname", "directory.access") {
		if checkTagKey(path) == nil {
			out = append(out, path)
		}
	}
	return out
}
