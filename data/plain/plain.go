// Package plain makes untrusted text safe to print: one line without terminal control sequences.
package plain

import (
	"reflect"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Text returns an untrusted text, such as a name in an archive, on one line without terminal control
// sequences: unprintable characters are escaped as in Go.
func Text(s string) string {
	if utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return s
	}
	quoted := strconv.Quote(s)
	return strings.ReplaceAll(quoted[1:len(quoted)-1], `\"`, `"`)
}

// IsVisible reports whether a text is UTF-8 without control characters, line breaks and characters
// that change the writing direction.
func IsVisible(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, func(r rune) bool {
		return unicode.IsControl(r) || unicode.In(r, unicode.Zl, unicode.Zp, unicode.Bidi_Control)
	})
}

// Values applies [Text] to every string in the value that pointer points to, including those in maps,
// slices and structs: what was decoded from JSON.
func Values(pointer any) { walk(reflect.ValueOf(pointer).Elem()) }

func walk(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		if v.CanSet() { // no field that JSON cannot set either
			v.SetString(Text(v.String()))
		}
	case reflect.Pointer:
		if !v.IsNil() {
			walk(v.Elem())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			walk(v.Field(i))
		}
	case reflect.Slice, reflect.Array:
		if holdsText(v.Type().Elem().Kind()) {
			for i := range v.Len() {
				walk(v.Index(i))
			}
		}
	case reflect.Map:
		walkMap(v)
	}
}

// walkMap replaces the map's content, which cannot be changed in place.
func walkMap(v reflect.Value) {
	if v.IsNil() || !v.CanSet() {
		return
	}
	made := reflect.MakeMapWithSize(v.Type(), v.Len())
	for entry := v.MapRange(); entry.Next(); {
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		key.Set(entry.Key())
		value.Set(entry.Value())
		walk(key)
		walk(value)
		made.SetMapIndex(key, value)
	}
	v.Set(made)
}

// holdsText reports whether a value of that kind can hold text; numbers are not looked at
// one by one.
func holdsText(k reflect.Kind) bool {
	return k == reflect.String || k >= reflect.Array && k != reflect.UnsafePointer
}
