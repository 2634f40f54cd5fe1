package ngebm

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
)

// setting is one entry of a configuration: its key, as [Config.Set] takes it, and its
// value in JSON.
type setting struct{ key, value string }

// settings lists every setting in the order of the fields, with the values that training
// will use where they are left open.
func (c Config) settings() []setting {
	return settingsOf(reflect.ValueOf(c.withDefaults()), "")
}

func settingsOf(v reflect.Value, prefix string) []setting {
	var all []setting
	for i := range v.NumField() {
		name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
		if field := v.Field(i); field.Kind() == reflect.Struct {
			all = append(all, settingsOf(field, prefix+name+".")...)
		} else if value, err := json.Marshal(field.Interface()); err != nil {
			all = append(all, setting{prefix + name, fmt.Sprintf("%q", err)}) // NaN or infinity; Validate names the field
		} else {
			all = append(all, setting{prefix + name, string(value)})
		}
	}
	return all
}

// All returns every setting as one indented JSON object whose keys are those that
// [Config.Set] takes: what is off is there, as 0 or empty, and what is left open has the
// value that training will use.
func (c Config) All() string {
	var raw, indented bytes.Buffer
	separator := "{"
	for _, s := range c.settings() {
		fmt.Fprintf(&raw, "%s%q:%s", separator, s.key, s.value)
		separator = ","
	}
	raw.WriteByte('}')
	if err := json.Indent(&indented, raw.Bytes(), "", "  "); err != nil {
		return err.Error()
	}
	return indented.String()
}

// Method returns the name of the way of training, as [Methods] has it; where none of
// them has these settings, what sets this one apart from cross-entropy, as [Config.Set]
// takes it: "gamma=0.05".
func (c Config) Method() string {
	var own string
	for _, m := range Methods() {
		named := c
		if named.Use(m.Name) != nil {
			continue
		}
		differ := differences(c.settings(), named.settings())
		if differ == "" {
			return m.Name
		}
		if own == "" {
			own = differ // the first is cross-entropy
		}
	}
	return own
}

// differences lists the settings whose values differ, with those of a.
func differences(a, b []setting) string {
	var differ []string
	for i, s := range a {
		if s != b[i] {
			differ = append(differ, s.key+"="+strings.Trim(s.value, `"`))
		}
	}
	return strings.Join(differ, ",")
}
