package main

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func pool(t *testing.T, subnet string) addresses {
	t.Helper()
	_, network, err := net.ParseCIDR(subnet)
	if err != nil {
		t.Fatal(err)
	}
	return addresses{directory: t.TempDir(), network: network}
}

func take(t *testing.T, a addresses, holder string) string {
	t.Helper()
	address, err := a.take(holder)
	if err != nil {
		t.Fatal(err)
	}
	return address.String()
}

func TestAddressesAreNotGivenAgainSoon(t *testing.T) {
	a := pool(t, "10.88.0.0/16")
	if first := take(t, a, "one"); first != "10.88.0.2" {
		t.Errorf("first address %s", first)
	}
	if err := a.giveBack("one"); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{"10.88.0.2": true}
	for range 300 {
		address := take(t, a, "next")
		if seen[address] || strings.HasSuffix(address, ".0") || strings.HasSuffix(address, ".255") {
			t.Fatalf("%s after %d others", address, len(seen))
		}
		seen[address] = true
		if err := a.giveBack("next"); err != nil {
			t.Fatal(err)
		}
	}
}

func TestRotationBeginsAnewAndPassesWhatIsTaken(t *testing.T) {
	a := pool(t, "10.88.1.0/29") // .2 to .6
	kept := take(t, a, "kept")
	for range 4 {
		take(t, a, "passing")
	}
	if _, err := a.take("one more"); err == nil {
		t.Error("an address out of a full network")
	}
	if err := a.giveBack("passing"); err != nil {
		t.Fatal(err)
	}
	if next := take(t, a, "later"); next != "10.88.1.3" || next == kept {
		t.Errorf("%s after the end, while %s is taken", next, kept)
	}
}

func TestGivingBackTouchesNobodyElses(t *testing.T) {
	a := pool(t, "10.88.0.0/16")
	kept := take(t, a, "kept")
	take(t, a, "gone")
	for range 2 { // the runtime may ask more than once
		if err := a.giveBack("gone"); err != nil {
			t.Fatal(err)
		}
	}
	if holder, err := os.ReadFile(filepath.Join(a.directory, kept)); err != nil || string(holder) != "kept" {
		t.Errorf("%s: %q %v", kept, holder, err)
	}
	if _, err := os.Stat(filepath.Join(a.directory, "10.88.0.3")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("10.88.0.3 is still there: %v", err)
	}
}

func TestRequestsNameWhatTheyLack(t *testing.T) {
	env := map[string]string{"CNI_CONTAINERID": "0123456789abcdef", "CNI_NETNS": "/run/netns/x", "CNI_IFNAME": "eth0"}
	getenv := func(key string) string { return env[key] }
	whole := `{"type": "labnet", "bridge": "cni0", "subnet": "10.88.0.0/16", "state": "/run/labnet"}`
	r, a, err := readRequest(strings.NewReader(whole), getenv)
	if err != nil || r.plug() != "pod0123456789ab" || len(r.plug()) >= unix.IFNAMSIZ || a.gateway().String() != "10.88.0.1" || a.bits() != 16 {
		t.Errorf("%+v %v %v", r, a, err)
	}
	for _, bad := range []string{"", "{}", strings.Replace(whole, "cni0", "", 1), strings.Replace(whole, "/16", "", 1),
		strings.Replace(whole, "10.88.0.0/16", "fd00::/64", 1)} {
		if _, _, err := readRequest(strings.NewReader(bad), getenv); err == nil {
			t.Errorf("accepted: %q", bad)
		}
	}
	env["CNI_CONTAINERID"] = "short"
	if _, _, err := readRequest(strings.NewReader(whole), getenv); err == nil {
		t.Error("accepted a container id that cannot name a cable")
	}
}

func TestResultSaysWhatTheSpecificationAsks(t *testing.T) {
	a := pool(t, "10.88.0.0/16")
	r := request{containerID: "0123456789abcdef", namespace: "/run/netns/x", device: "eth0"}
	text, err := json.Marshal(r.result(net.IPv4(10, 88, 0, 7), a))
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{`"cniVersion":"1.0.0"`, `"address":"10.88.0.7/16"`, `"gateway":"10.88.0.1"`,
		`{"name":"eth0","sandbox":"/run/netns/x"}`, `"interface":1`} {
		if !strings.Contains(string(text), part) {
			t.Errorf("no %s in %s", part, text)
		}
	}
}

func TestCommandsThatNeedNoNetwork(t *testing.T) {
	getenv := func(string) string { return "0123456789abcdef" }
	answer, err := run("VERSION", strings.NewReader(""), getenv)
	if text, _ := json.Marshal(answer); err != nil || !strings.Contains(string(text), `"1.0.0"`) {
		t.Errorf("VERSION: %v %v", answer, err)
	}
	if answer, err := run("DEL", strings.NewReader(`{"type": "loopback"}`), getenv); answer != nil || err != nil {
		t.Errorf("DEL of lo: %v %v", answer, err)
	}
	configuration := `{"bridge": "b", "subnet": "10.88.0.0/16", "state": "` + t.TempDir() + `"}`
	if answer, err := run("DEL", strings.NewReader(configuration), getenv); answer != nil || err != nil {
		t.Errorf("DEL of what never was: %v %v", answer, err)
	}
	if _, err := run("DANCE", strings.NewReader(configuration), getenv); err == nil {
		t.Error("unknown command")
	}
}

func TestMessagesArePaddedAndNested(t *testing.T) {
	m := newMessage(unix.RTM_NEWLINK, created, link(7, 0, 0))
	before := len(m.bytes)
	m.within(unix.IFLA_LINKINFO, func() { m.add(unix.IFLA_INFO_KIND, []byte("bridge")) })
	nested := m.bytes[before:]
	if len(nested) != 16 || binary.NativeEndian.Uint16(nested) != 16 || binary.NativeEndian.Uint16(nested[4:]) != 10 {
		t.Errorf("%v", nested)
	}
	if index := binary.NativeEndian.Uint32(m.bytes[unix.SizeofNlMsghdr+4:]); index != 7 {
		t.Errorf("index %d", index)
	}
}

func TestTheKernelsWordIsRead(t *testing.T) {
	word := func(kind uint16, code int32) []byte {
		answer := make([]byte, unix.SizeofNlMsghdr+4)
		binary.NativeEndian.PutUint16(answer[4:], kind)
		binary.NativeEndian.PutUint32(answer[unix.SizeofNlMsghdr:], uint32(code))
		return answer
	}
	if err := answered(word(unix.NLMSG_ERROR, 0)); err != nil {
		t.Errorf("yes: %v", err)
	}
	if err := answered(word(unix.NLMSG_ERROR, -int32(unix.EEXIST))); !errors.Is(err, unix.EEXIST) {
		t.Errorf("no: %v", err)
	}
	if answered(word(unix.NLMSG_DONE, 0)) == nil || answered(nil) == nil {
		t.Error("something else passes as a yes")
	}
}
