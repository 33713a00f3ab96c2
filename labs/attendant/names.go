package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
)

var errNoName = errors.New("no such name")

// lookUp asks a name server over a datagram connection for the IPv4 address of a name.
func lookUp(connection io.ReadWriter, name string) (net.IP, error) {
	question, err := nameQuestion(name)
	if err != nil {
		return nil, err
	}
	if _, err := connection.Write(question); err != nil {
		return nil, err
	}
	reply := make([]byte, 1500)
	n, err := connection.Read(reply)
	if err != nil {
		return nil, err
	}
	address, err := addressIn(reply[:n], len(question))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", cut(name, 100), err)
	}
	return address, nil
}

// nameQuestion is a DNS message that asks for A records, recursion desired.
func nameQuestion(name string) ([]byte, error) {
	message := []byte{'n', 'a', 1, 0, 0, 1, 0, 0, 0, 0, 0, 0}
	for _, label := range strings.Split(name, ".") {
		if len(label) == 0 || len(label) > 63 {
			return nil, errNoName
		}
		message = append(append(message, byte(len(label))), label...)
	}
	if len(message) > 250 {
		return nil, errNoName
	}
	return append(message, 0, 0, 1, 0, 1), nil // the root; A; IN
}

// addressIn finds the first A record after a question of the given length.
func addressIn(reply []byte, question int) (net.IP, error) {
	if len(reply) < question || reply[0] != 'n' || reply[1] != 'a' || reply[2]&0x80 == 0 {
		return nil, errors.New("no answer to our question")
	}
	rest := reply[question:]
	for range min(int(binary.BigEndian.Uint16(reply[6:])), 32) {
		rest = afterName(rest)
		if len(rest) < 10 {
			break
		}
		kind, length := binary.BigEndian.Uint16(rest), int(binary.BigEndian.Uint16(rest[8:]))
		rest = rest[10:]
		if length > len(rest) {
			break
		}
		if kind == 1 && length == net.IPv4len {
			return net.IP(append([]byte(nil), rest[:length]...)), nil
		}
		rest = rest[length:]
	}
	return nil, errNoName
}

// afterName skips a name: labels up to the root or to a pointer.
func afterName(text []byte) []byte {
	for len(text) > 0 {
		length := int(text[0])
		switch {
		case length == 0:
			return text[1:]
		case length >= 0xc0:
			return text[min(2, len(text)):]
		}
		text = text[min(length+1, len(text)):]
	}
	return nil
}
