package main

import (
	"context"
	"encoding/json"
	"slices"
	"sort"
	"strings"
)

const (
	mostContainers = 100
	mostNetworks   = 50
	mostVolumes    = 50
	mostOfOne      = 20 // ports, networks or volumes of one container
	mostPicture    = 48 << 10
)

// dockerPicture is what there is on one engine, as far as a picture of it needs.
type dockerPicture struct {
	Host       string            `json:"host"`
	Containers []pictured        `json:"containers"`
	Networks   []picturedNetwork `json:"networks"`
	Volumes    []picturedVolume  `json:"volumes"`
	LeftOut    int               `json:"left_out"`
}

type pictured struct {
	ID       string           `json:"id"`
	Name     string           `json:"name"`
	Image    string           `json:"image"`
	State    string           `json:"state"`
	Health   string           `json:"health"`
	Networks []string         `json:"networks"`
	Ports    []picturedPort   `json:"ports"`
	Volumes  []picturedVolume `json:"volumes"`
}

type picturedPort struct {
	Host      int    `json:"host"`
	Container int    `json:"container"`
	Protocol  string `json:"protocol"`
}

type picturedVolume struct {
	Name string `json:"name"`
	Path string `json:"path,omitempty"`
}

type picturedNetwork struct {
	Name   string `json:"name"`
	Driver string `json:"driver"`
}

// askTopology tells what there is in the lab, its engines' containers and its cluster's objects, to be drawn.
func askTopology(ctx context.Context, text json.RawMessage) (any, error) {
	var request struct{}
	if err := decode(text, &request); err != nil {
		return nil, err
	}
	answer := struct {
		Docker     []dockerPicture `json:"docker"`
		Kubernetes any             `json:"kubernetes"`
	}{Docker: []dockerPicture{}}
	if hasEngine() {
		hosts, err := labHosts()
		if err != nil {
			return nil, err
		}
		for _, each := range hosts {
			picture, err := pictureOf(ctx, each)
			if err != nil {
				return nil, err
			}
			answer.Docker = append(answer.Docker, *picture)
		}
	}
	if hasCluster() {
		document, err := controlDocument(ctx, "/topology")
		if err != nil {
			return nil, err
		}
		answer.Kubernetes = document
	}
	return answer, nil
}

// pictureOf asks one engine for its containers, networks and volumes.
func pictureOf(ctx context.Context, h host) (*dockerPicture, error) {
	var containers []struct {
		ID    string `json:"Id"`
		Names []string
		Image string
		State string
		// "Up 3 seconds (healthy)"
		Status string
		Ports  []struct {
			PrivatePort, PublicPort int
			Type                    string
		}
		NetworkSettings struct{ Networks map[string]json.RawMessage }
		Mounts          []struct{ Type, Name, Source, Destination string }
	}
	var networks []struct{ Name, Driver string }
	var volumes struct{ Volumes []struct{ Name string } }
	for path, into := range map[string]any{
		"/containers/json?all=1&limit=1000": &containers, "/networks": &networks, "/volumes": &volumes,
	} {
		document, err := engineGet(ctx, h, path, mostAnswer)
		if err != nil {
			return nil, err
		}
		if err := json.Unmarshal(document, into); err != nil {
			return nil, err
		}
	}
	picture := &dockerPicture{Host: h.name, Containers: []pictured{}, Networks: []picturedNetwork{}, Volumes: []picturedVolume{}}
	for _, each := range containers {
		one := pictured{
			ID: cut(each.ID, 12), Image: cut(each.Image, 200), State: each.State, Health: healthOf(each.Status),
			Networks: []string{}, Ports: []picturedPort{}, Volumes: []picturedVolume{},
		}
		if len(each.Names) > 0 {
			one.Name = cut(strings.TrimPrefix(each.Names[0], "/"), 200)
		}
		for name := range each.NetworkSettings.Networks {
			one.Networks = append(one.Networks, cut(name, 200))
		}
		sort.Strings(one.Networks)
		for _, port := range each.Ports {
			known := picturedPort{Host: port.PublicPort, Container: port.PrivatePort, Protocol: port.Type}
			if port.PublicPort > 0 && !slices.Contains(one.Ports, known) { // one for each family of addresses
				one.Ports = append(one.Ports, known)
			}
		}
		sort.Slice(one.Ports, func(i, j int) bool { return one.Ports[i].Host < one.Ports[j].Host })
		for _, mount := range each.Mounts {
			name := mount.Name
			if mount.Type != "volume" {
				name = mount.Source
			}
			one.Volumes = append(one.Volumes, picturedVolume{Name: cut(name, 200), Path: cut(mount.Destination, 200)})
		}
		sort.Slice(one.Volumes, func(i, j int) bool { return one.Volumes[i].Path < one.Volumes[j].Path })
		one.Networks = one.Networks[:min(len(one.Networks), mostOfOne)]
		one.Ports = one.Ports[:min(len(one.Ports), mostOfOne)]
		one.Volumes = one.Volumes[:min(len(one.Volumes), mostOfOne)]
		picture.Containers = append(picture.Containers, one)
	}
	sort.Slice(picture.Containers, func(i, j int) bool { return picture.Containers[i].Name < picture.Containers[j].Name })
	for _, each := range networks {
		if each.Driver != "host" && each.Driver != "null" {
			picture.Networks = append(picture.Networks, picturedNetwork{Name: cut(each.Name, 200), Driver: cut(each.Driver, 50)})
		}
	}
	sort.Slice(picture.Networks, func(i, j int) bool { return picture.Networks[i].Name < picture.Networks[j].Name })
	for _, each := range volumes.Volumes {
		picture.Volumes = append(picture.Volumes, picturedVolume{Name: cut(each.Name, 200)})
	}
	sort.Slice(picture.Volumes, func(i, j int) bool { return picture.Volumes[i].Name < picture.Volumes[j].Name })
	picture.bound()
	return picture, nil
}

// bound leaves out what is too much to be drawn: of each kind, and containers until all are a text that is not too large.
func (p *dockerPicture) bound() {
	before := len(p.Containers) + len(p.Networks) + len(p.Volumes)
	p.Containers = p.Containers[:min(len(p.Containers), mostContainers)]
	p.Networks = p.Networks[:min(len(p.Networks), mostNetworks)]
	p.Volumes = p.Volumes[:min(len(p.Volumes), mostVolumes)]
	size := 0
	for i, each := range p.Containers {
		text, _ := json.Marshal(each) // of plain fields only
		if size += len(text); size > mostPicture {
			p.Containers = p.Containers[:i]
			break
		}
	}
	p.LeftOut = before - len(p.Containers) - len(p.Networks) - len(p.Volumes)
}

// healthOf reads the word in brackets at the end of a status.
func healthOf(status string) string {
	for _, each := range []string{"healthy", "unhealthy", "health: starting"} {
		if strings.HasSuffix(status, "("+each+")") {
			return strings.TrimPrefix(each, "health: ")
		}
	}
	return ""
}
