package main

import (
	"encoding/json"
	"errors"
	"unicode/utf8"
)

const (
	deepestDocument = 100
	longestNumber   = 60
)

// plainDocument tells whether a text is JSON that any reader can take: valid, not nested too deep, and without
// numbers that are longer than some readers' integers.
func plainDocument(text []byte) error {
	if !json.Valid(text) {
		return errors.New("not JSON")
	}
	depth, digits, quoted := 0, 0, false
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '[' || c == '{':
			depth++
		case c == ']' || c == '}':
			depth--
		}
		if !quoted && (c >= '0' && c <= '9' || c == '.' || c == '-' || c == '+' || c == 'e' || c == 'E') {
			digits++
		} else {
			digits = 0
		}
		if depth > deepestDocument || digits > longestNumber {
			return errors.New("a document that is nested too deep or holds too long a number")
		}
	}
	return nil
}

// cut shortens a text to so many bytes without splitting a character.
func cut(text string, most int) string {
	if len(text) <= most {
		return text
	}
	for most > 0 && !utf8.RuneStart(text[most]) {
		most--
	}
	return text[:most]
}
