package network

import (
	"errors"
	"net"
	"slices"
	"strings"

	"golang.org/x/net/dns/dnsmessage"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"
)

const (
	timeToLive = 2 // seconds: lessons look at names that have just changed
	mostQuery  = 1500
	// What fits into one UDP answer that every resolver takes.
	mostAddresses = 24
)

// answerNames answers until the socket fails or closes.
func answerNames(socket net.PacketConn, v *view) error {
	buffer := make([]byte, mostQuery)
	for {
		n, from, err := socket.ReadFrom(buffer)
		if errors.Is(err, net.ErrClosed) {
			return err
		}
		if err != nil {
			continue // a client that is gone
		}
		if answer := v.answer(buffer[:n]); answer != nil {
			_, _ = socket.WriteTo(answer, from)
		}
	}
}

// answer gives the answer to a query, nil for what is none. Everything is known here: other names do not exist.
func (v *view) answer(query []byte) []byte {
	var asked dnsmessage.Message
	if asked.Unpack(query) != nil || asked.Response || len(asked.Questions) != 1 {
		return nil
	}
	question := asked.Questions[0]
	answer := dnsmessage.Message{
		Header: dnsmessage.Header{
			ID: asked.ID, Response: true, Authoritative: true, RecursionDesired: asked.RecursionDesired,
			RecursionAvailable: true, RCode: dnsmessage.RCodeNameError,
		},
		Questions: asked.Questions,
	}
	header := dnsmessage.ResourceHeader{Name: question.Name, Class: dnsmessage.ClassINET, TTL: timeToLive}
	found, alias := v.resolve(strings.ToLower(question.Name.String()))
	if found != nil || alias != "" {
		answer.RCode = dnsmessage.RCodeSuccess
	}
	if name, err := dnsmessage.NewName(alias); alias != "" && err == nil {
		answer.Answers = append(answer.Answers, dnsmessage.Resource{Header: header, Body: &dnsmessage.CNAMEResource{CNAME: name}})
		header.Name = name // what follows is said of the other name: programs do not ask once more
		found, _ = v.resolve(strings.ToLower(alias))
	}
	if question.Type == dnsmessage.TypeA || question.Type == dnsmessage.TypeALL {
		for _, address := range found[:min(len(found), mostAddresses)] {
			body := &dnsmessage.AResource{A: [4]byte(address)}
			answer.Answers = append(answer.Answers, dnsmessage.Resource{Header: header, Body: body})
		}
	}
	packed, err := answer.Pack()
	if err != nil {
		return nil
	}
	return packed
}

// resolve gives the addresses of a full name ("shop.default.svc.cluster.local."), nil when there is no such name, or the
// other name that it stands for.
func (v *view) resolve(name string) (addresses []net.IP, alias string) {
	name, within := strings.CutSuffix(name, ".svc."+domain+".")
	if !within {
		return nil, ""
	}
	parts := strings.Split(name, ".")
	host := ""
	if len(parts) == 3 { // a Pod by the name that its StatefulSet gave it
		host, parts = parts[0], parts[1:]
	}
	if len(parts) != 2 {
		return nil, ""
	}
	service, err := v.services.Services(parts[1]).Get(parts[0])
	if err != nil {
		return nil, ""
	}
	switch {
	case service.Spec.Type == corev1.ServiceTypeExternalName:
		return nil, strings.TrimSuffix(service.Spec.ExternalName, ".") + "."
	case service.Spec.ClusterIP == corev1.ClusterIPNone:
		return v.behind(service, host), ""
	case host == "":
		return v4(service.Spec.ClusterIP), ""
	}
	return nil, ""
}

// behind gives the addresses of a headless Service's Pods, or of the one with that host name. A Service that has none
// still exists: its answer is empty, not nil.
func (v *view) behind(service *corev1.Service, host string) []net.IP {
	var found []net.IP
	if host == "" {
		found = []net.IP{}
	}
	for _, part := range v.slicesOf(service.Namespace, service.Name) {
		for _, endpoint := range part.Endpoints {
			unready := !ptr.Deref(endpoint.Conditions.Ready, true)
			if len(endpoint.Addresses) == 0 || unready || host != "" && ptr.Deref(endpoint.Hostname, "") != host {
				continue
			}
			found = append(found, v4(endpoint.Addresses[0])...)
		}
	}
	slices.SortFunc(found, func(a, b net.IP) int { return slices.Compare(a, b) })
	return found
}

func v4(text string) []net.IP {
	if address := net.ParseIP(text).To4(); address != nil {
		return []net.IP{address}
	}
	return []net.IP{}
}
