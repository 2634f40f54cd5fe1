package format

import (
	"archive/zip"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
)

// nameFiles gives the files of a zip file their names in UTF-8, with slashes. The format
// has a flag for UTF-8 and an extra field that Info-ZIP writes; without either names are
// in UTF-8 if they can be, as macOS and old programs write them, else in CP437, the
// format's own default, or in CP932 (Shift JIS), as Japanese Windows writes them, if that
// makes sense of all of them and CP437 does not.
func nameFiles(files []*zip.File) (encoding string, err error) {
	var raw []*zip.File // whose names are in none of these
	for _, f := range files {
		if name, ok := unicodePath(f); ok {
			f.Name = name
		} else if !utf8.ValidString(f.Name) {
			if f.Flags&utf8Flag != 0 {
				return "", fmt.Errorf("the name %q is not UTF-8, as it says it is", f.Name)
			}
			raw = append(raw, f)
		}
	}
	encoding, decode := "CP437", charmap.CodePage437.NewDecoder().String
	switch {
	case raw == nil:
		encoding = ""
	case isCP932(raw):
		encoding, decode = "CP932", japanese.ShiftJIS.NewDecoder().String
	}
	for _, f := range raw {
		name, err := decode(f.Name)
		if err != nil {
			return "", fmt.Errorf("the name %q: %w", f.Name, err)
		}
		f.Name = name
	}
	for _, f := range files {
		if f.Name, err = withSlashes(f); err != nil {
			return "", err
		}
	}
	return encoding, nil
}

const (
	utf8Flag         = 0x800
	unicodePathField = 0x7075
)

// unicodePath returns the name in Info-ZIP's extra field for it: a version, 1, the CRC-32
// of the name that it stands for, and the name.
func unicodePath(f *zip.File) (name string, ok bool) {
	for extra := f.Extra; len(extra) >= 4; {
		id, n := binary.LittleEndian.Uint16(extra), int(binary.LittleEndian.Uint16(extra[2:]))
		if extra = extra[4:]; n > len(extra) {
			return "", false
		}
		field := extra[:n]
		extra = extra[n:]
		if id == unicodePathField && n > 5 && field[0] == 1 && utf8.Valid(field[5:]) &&
			binary.LittleEndian.Uint32(field[1:]) == crc32.ChecksumIEEE([]byte(f.Name)) {
			return string(field[5:]), true
		}
	}
	return "", false
}

// isCP932 reports whether names are Japanese: all of them can be, one or more have two such
// characters in a row, and one or more are no words in CP437, where the lead bytes of
// kana and many kanji are signs, lines or letters that have no place there. One kanji among Latin letters is none: it comes
// of a name in yet another encoding.
func isCP932(files []*zip.File) bool {
	signs, pairs := false, false
	for _, f := range files {
		name, err := japanese.ShiftJIS.NewDecoder().String(f.Name)
		if err != nil {
			return false
		}
		before, run := ' ', 0 // the last character that is not Japanese, and how many are since
		for _, r := range name + " " {
			switch {
			case isJapanese(r):
				if run++; run > 1 {
					pairs = true
				}
			case r >= utf8.RuneSelf:
				return false
			default:
				if run == 1 && (isLatin(before) || isLatin(r)) {
					return false
				}
				before, run = r, 0
			}
		}
		other, err := charmap.CodePage437.NewDecoder().String(f.Name)
		signs = signs || err != nil || !isWords(other)
	}
	return signs && pairs
}

// isWords reports whether a name has letters only, besides ASCII, and none of them in an upper
// case that follows a lower one, as the bytes of kanji give.
func isWords(name string) bool {
	before := ' '
	for _, r := range name {
		if r >= utf8.RuneSelf && !unicode.IsLetter(r) {
			return false
		}
		if unicode.IsLower(before) && unicode.IsUpper(r) && (before >= utf8.RuneSelf || r >= utf8.RuneSelf) {
			return false
		}
		before = r
	}
	return true
}

// isJapanese is false for half-width kana, which are single bytes, as signs in CP437 are.
func isJapanese(r rune) bool {
	if r >= '\uff61' && r <= '\uff9f' {
		return false
	}
	return unicode.In(r, unicode.Hiragana, unicode.Katakana, unicode.Han) || r >= '\u3000' && r <= '\u303f' ||
		r >= '\uff00' && r <= '\uffef' || r == 'ー' || r == '・'
}

func isLatin(r rune) bool { return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' }

// Systems whose programs write slashes, as the format demands. A backslash is a part of
// a name there.
const (
	madeOnUnix = 3
	madeOnMac  = 19
)

// withSlashes returns the name of a file with slashes where a program for Windows wrote
// backslashes.
func withSlashes(f *zip.File) (string, error) {
	if !strings.Contains(f.Name, `\`) {
		return f.Name, nil
	}
	if made := f.CreatorVersion >> 8; made == madeOnUnix || made == madeOnMac {
		if strings.Contains(f.Name, "/") {
			return "", fmt.Errorf(`the name %q has both / and \`, f.Name)
		}
	}
	return strings.ReplaceAll(f.Name, `\`, "/"), nil
}
