package ngebm

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"ngebm/data/nearest"
)

// String returns the configuration as indented JSON.
func (c Config) String() string {
	b, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return err.Error() // NaN or infinity; Validate names the field
	}
	return string(b)
}

// Set changes the settings named in a comma-separated list of key=value, with
// the keys of the JSON form: "beta=.1,gamma=.1,decay_epochs=[60,80],augment.pad=4".
//
// A setting that is there twice with different values is an error: one of them would be
// dropped. So is a decay that the schedule does not use.
func (c *Config) Set(assignments string) error {
	before := *c
	given := map[string]string{}
	for _, a := range SplitSettings(assignments) {
		key, value, ok := strings.Cut(a, "=")
		key, value = strings.TrimSpace(key), strings.TrimSpace(value)
		if !ok {
			return fmt.Errorf("ngebm: %q sets nothing; write key=value, as in beta=.1,gamma=.1", a)
		}
		field, ok := fieldByKey(reflect.ValueOf(c).Elem(), key)
		if !ok {
			var known []string
			for _, s := range c.settings() {
				known = append(known, s.key)
			}
			return fmt.Errorf("ngebm: there is no setting %.60q%s; there are %s", key, nearest.Hint(key, known), strings.Join(known, ", "))
		}
		if before, twice := given[key]; twice && before != value {
			return fmt.Errorf("ngebm: %s is set twice, to %.60q and to %.60q; leave one out", key, before, value)
		}
		given[key] = value
		if err := setField(field, value); err != nil {
			return fmt.Errorf("ngebm: %s cannot be %.60q: it is a %s", key, value, describe(field.Type()))
		}
	}
	return c.unusedDecay(before)
}

// unusedDecay refuses a decay that is new and without effect.
func (c *Config) unusedDecay(before Config) error {
	decay, epochs := c.Decay != before.Decay, !slices.Equal(c.DecayEpochs, before.DecayEpochs)
	switch {
	case c.Schedule == "step" && decay && len(c.DecayEpochs) == 0:
		return fmt.Errorf("ngebm: decay=%v has no effect without decay_epochs; add them, as in decay_epochs=[60,80]", c.Decay)
	case c.Schedule == "step" && before.Schedule != "step" && len(c.DecayEpochs) == 0:
		return errors.New("ngebm: schedule=step has no effect without decay_epochs; add them, as in decay_epochs=[60,80]")
	case c.Schedule == "step":
	case decay:
		return fmt.Errorf("ngebm: decay=%v has no effect with schedule=%.60q; add schedule=step, or leave it out", c.Decay, c.Schedule)
	case epochs && len(c.DecayEpochs) > 0:
		return fmt.Errorf("ngebm: decay_epochs=%v has no effect with schedule=%.60q; add schedule=step, or leave it out", c.DecayEpochs, c.Schedule)
	}
	return nil
}

// SplitSettings splits a list at its commas, except at those in brackets, as [Config.Set]
// does: "a=[1,2],b=3" gives "a=[1,2]" and "b=3".
func SplitSettings(s string) []string {
	var parts []string
	depth, start := 0, 0
	for i, r := range s {
		switch r {
		case '[':
			depth++
		case ']':
			depth--
		case ',':
			if depth == 0 {
				parts = append(parts, s[start:i])
				start = i + 1
			}
		}
	}
	if strings.TrimSpace(s[start:]) == "" {
		return parts
	}
	return append(parts, s[start:])
}

// FindSetting returns the value that a list of assignments, as [Config.Set] takes, gives a key.
func FindSetting(assignments, key string) (value string, ok bool) {
	for _, a := range SplitSettings(assignments) {
		if k, v, _ := strings.Cut(a, "="); strings.TrimSpace(k) == key {
			return strings.TrimSpace(v), true
		}
	}
	return "", false
}

// fieldByKey finds the field with that JSON name, dots leading into structs.
func fieldByKey(v reflect.Value, key string) (field reflect.Value, ok bool) {
	head, rest, nested := strings.Cut(key, ".")
	for i := range v.NumField() {
		name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
		field := v.Field(i)
		if name == head && nested == (field.Kind() == reflect.Struct) {
			if nested {
				return fieldByKey(field, rest)
			}
			return field, true
		}
	}
	return reflect.Value{}, false
}

// setField reads value as JSON, except that text needs no quotes and numbers may
// begin with a point, as people write them on a command line.
func setField(field reflect.Value, value string) error {
	if value == "null" && field.Kind() != reflect.Slice { // JSON's, which leaves a number as it is
		return errors.New("no value")
	}
	switch field.Kind() {
	case reflect.String:
		field.SetString(value)
		return nil
	case reflect.Float64:
		f, err := strconv.ParseFloat(value, 64)
		field.SetFloat(f)
		return err
	case reflect.Slice:
		field.SetZero() // else a copy of the configuration would see the new elements
	}
	return json.Unmarshal([]byte(value), field.Addr().Interface())
}

func describe(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Float64:
		return "number"
	case reflect.Int:
		return fmt.Sprintf("whole number of at most %d", math.MaxInt)
	case reflect.Uint64:
		return fmt.Sprintf("whole number from 0 to %d", uint64(math.MaxUint64))
	case reflect.Bool:
		return "switch, true or false"
	case reflect.Slice:
		return "list, as in [60,80]"
	}
	return t.String()
}

// All returns every setting as one indented JSON object whose keys are those that
// [Config.Set] takes. Settings that are off are 0 or empty; those that are left open have
// the values that training uses.
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

// setting is one entry of a configuration: its key, as [Config.Set] takes it, and its
// value in JSON.
type setting struct{ key, value string }

// settings lists every setting in the order of the fields, with the values that training
// will use where they are left open.
func (c Config) settings() []setting {
	return settingsOf(reflect.ValueOf(c.WithDefaults()), "")
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

// WithDefaults fills in the settings that are left open, so that equal runs have equal hashes.
func (c Config) WithDefaults() Config {
	or := func(value *float64, standard float64) {
		if *value == 0 {
			*value = standard
		}
	}
	c.JEM = c.JEM.WithDefaults()
	if a := &c.Adversarial; a.Epsilon > 0 {
		if a.Norm == "" {
			a.Norm = "linf"
		}
		if a.Steps == 0 {
			a.Steps = 10
		}
		or(&a.Step, 2.5*a.Epsilon/float64(a.Steps))
	}
	if m := &c.Margin; m.Outliers != "" && (m.Exposure == 0 || m.Weight != 0) {
		or(&m.Weight, .1)
		or(&m.In, 23)
		or(&m.Out, 5)
	}
	if c.Optimizer == "adam" {
		c.Optimizer = ""
	}
	if c.Optimizer == AdamW {
		or(&c.WeightDecay, .01) // torch.optim.AdamW's
	}
	if c.Precision == "float32" {
		c.Precision = ""
	}
	if c.Rollback.Times > 0 {
		or(&c.Rollback.Shrink, .5)
	}
	return c
}

// WarmupWarning returns a warning if the warm-up takes more than half of a run of the given
// number of steps, else "".
func (c Config) WarmupWarning(steps int) string {
	if steps < 1 || c.Warmup <= steps/2 {
		return ""
	}
	fewer := fmt.Sprintf("warmup=%d or less", steps/10)
	if steps < 10 {
		fewer = "warmup=0"
	}
	return fmt.Sprintf("the warm-up takes %d steps of the run's %d, so that most of it learns at less than learning_rate=%g; set %s, or more epochs",
		min(c.Warmup, steps), steps, c.LearningRate, fewer)
}
