package main

import (
	"encoding/binary"
	"fmt"
	"net"
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The kernel of a lab is gVisor, whose netlink knows little: these are the few requests that labnet needs, each with
// no attribute more than the request is about.

const (
	vethPeer     = 1 // VETH_INFO_PEER
	answerBuffer = 64 << 10
)

// message is a netlink request being put together.
type message struct{ bytes []byte }

func newMessage(kind, flags uint16, body []byte) *message {
	m := &message{make([]byte, unix.SizeofNlMsghdr)}
	binary.NativeEndian.PutUint16(m.bytes[4:], kind)
	binary.NativeEndian.PutUint16(m.bytes[6:], flags|unix.NLM_F_REQUEST|unix.NLM_F_ACK)
	binary.NativeEndian.PutUint32(m.bytes[8:], 1)
	m.bytes = append(m.bytes, body...)
	return m
}

// add puts an attribute at the end, padded to four bytes as netlink wants it.
func (m *message) add(kind uint16, data []byte) {
	header := binary.NativeEndian.AppendUint16(nil, uint16(unix.SizeofRtAttr+len(data)))
	header = binary.NativeEndian.AppendUint16(header, kind)
	m.bytes = append(m.bytes, header...)
	m.bytes = append(m.bytes, data...)
	for len(m.bytes)%4 != 0 {
		m.bytes = append(m.bytes, 0)
	}
}

func (m *message) addNumber(kind uint16, number int) {
	m.add(kind, binary.NativeEndian.AppendUint32(nil, uint32(number)))
}

// within adds an attribute that holds what inner adds.
func (m *message) within(kind uint16, inner func()) {
	start := len(m.bytes)
	m.add(kind, nil)
	inner()
	binary.NativeEndian.PutUint16(m.bytes[start:], uint16(len(m.bytes)-start))
}

func text(value string) []byte { return append([]byte(value), 0) }

// send asks the kernel, in the network namespace of the calling thread, and waits for its word.
func (m *message) send() error {
	binary.NativeEndian.PutUint32(m.bytes, uint32(len(m.bytes)))
	socket, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	if err != nil {
		return os.NewSyscallError("netlink socket", err)
	}
	defer unix.Close(socket)
	if err := unix.Sendto(socket, m.bytes, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return os.NewSyscallError("netlink send", err)
	}
	buffer := make([]byte, answerBuffer)
	n, _, err := unix.Recvfrom(socket, buffer, 0)
	if err != nil {
		return os.NewSyscallError("netlink receive", err)
	}
	return answered(buffer[:n])
}

// answered reads the kernel's acknowledgement.
func answered(answer []byte) error {
	if len(answer) < unix.SizeofNlMsghdr+4 || binary.NativeEndian.Uint16(answer[4:]) != unix.NLMSG_ERROR {
		return fmt.Errorf("netlink: no acknowledgement in %d bytes", len(answer))
	}
	if code := int32(binary.NativeEndian.Uint32(answer[unix.SizeofNlMsghdr:])); code != 0 {
		return syscall.Errno(-code)
	}
	return nil
}

// link is the body of a request about a network device; 0 for one that is not there yet.
func link(index int, flags, change uint32) []byte {
	info := unix.IfInfomsg{Family: unix.AF_UNSPEC, Index: int32(index), Flags: flags, Change: change}
	return unsafe.Slice((*byte)(unsafe.Pointer(&info)), unix.SizeofIfInfomsg)
}

const created = unix.NLM_F_CREATE | unix.NLM_F_EXCL

func addBridge(name string) error {
	m := newMessage(unix.RTM_NEWLINK, created, link(0, 0, 0))
	m.add(unix.IFLA_IFNAME, text(name))
	m.within(unix.IFLA_LINKINFO, func() { m.add(unix.IFLA_INFO_KIND, []byte("bridge")) })
	return m.send()
}

// addPair makes a cable: one end here, the other, called peer, in the namespace that the open file names.
func addPair(name, peer string, namespace *os.File) error {
	m := newMessage(unix.RTM_NEWLINK, created, link(0, 0, 0))
	m.add(unix.IFLA_IFNAME, text(name))
	m.within(unix.IFLA_LINKINFO, func() {
		m.add(unix.IFLA_INFO_KIND, []byte("veth"))
		m.within(unix.IFLA_INFO_DATA, func() {
			m.within(vethPeer, func() {
				m.bytes = append(m.bytes, link(0, 0, 0)...)
				m.add(unix.IFLA_IFNAME, text(peer))
				m.addNumber(unix.IFLA_NET_NS_FD, int(namespace.Fd()))
			})
		})
	})
	return m.send()
}

func setMaster(index, master int) error {
	m := newMessage(unix.RTM_NEWLINK, 0, link(index, 0, 0))
	m.addNumber(unix.IFLA_MASTER, master)
	return m.send()
}

func setUp(index int) error {
	return newMessage(unix.RTM_NEWLINK, 0, link(index, unix.IFF_UP, unix.IFF_UP)).send()
}

func deleteLink(index int) error {
	return newMessage(unix.RTM_DELLINK, 0, link(index, 0, 0)).send()
}

func addAddress(index int, address net.IP, bits int) error {
	m := newMessage(unix.RTM_NEWADDR, created, append([]byte{unix.AF_INET, byte(bits), 0, 0},
		binary.NativeEndian.AppendUint32(nil, uint32(index))...))
	m.add(unix.IFA_LOCAL, address.To4())
	m.add(unix.IFA_ADDRESS, address.To4())
	return m.send()
}

func addDefaultRoute(index int, gateway net.IP) error {
	route := unix.RtMsg{Family: unix.AF_INET, Table: unix.RT_TABLE_MAIN, Protocol: unix.RTPROT_BOOT,
		Scope: unix.RT_SCOPE_UNIVERSE, Type: unix.RTN_UNICAST}
	m := newMessage(unix.RTM_NEWROUTE, created, unsafe.Slice((*byte)(unsafe.Pointer(&route)), unix.SizeofRtMsg))
	m.add(unix.RTA_GATEWAY, gateway.To4())
	m.addNumber(unix.RTA_OIF, index)
	return m.send()
}
