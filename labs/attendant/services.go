package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
)

// servicesFile says what a lab of this image runs beside, or instead of, an engine and a registry.
var servicesFile = "/etc/naru/services.json"

const (
	engineUnit   = "engine"
	registryUnit = "registry"
)

// services is that file. Without one a lab has its engine and registry and nothing else.
type services struct {
	Engine   *engineService `json:"engine"`
	Registry bool           `json:"registry"`
	Services []service      `json:"services"`
}

// engineService: more arguments for dockerd, and what must be ready before it starts.
type engineService struct {
	Argv  []string `json:"argv"`
	After []string `json:"after"`
}

// service is one program. Vital: its end is the lab's. Again: it is started again when it ends. Off: a file during whose
// life it is stopped; NAME-off among the cluster's files for one that is started again.
type service struct {
	Name  string            `json:"name"`
	Argv  []string          `json:"argv"`
	Env   map[string]string `json:"env"`
	After []string          `json:"after"`
	Ready struct {
		Socket  string `json:"socket"`  // takes connections
		Control bool   `json:"control"` // the control socket says that the cluster is ready
	} `json:"ready"`
	Vital bool   `json:"vital"`
	Again bool   `json:"again"`
	Off   string `json:"off"`
}

// labServices reads the image's services and refuses what could never start.
func labServices() (services, error) {
	plain := services{Engine: &engineService{}, Registry: true}
	text, err := readSmall(servicesFile, 64<<10)
	if errors.Is(err, os.ErrNotExist) {
		return plain, nil
	}
	if err != nil {
		return plain, err
	}
	var found services
	decoder := json.NewDecoder(strings.NewReader(string(text)))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&found); err != nil {
		return plain, fmt.Errorf("%s: %w", servicesFile, err)
	}
	for i := range found.Services {
		if each := &found.Services[i]; each.Again && each.Off == "" {
			each.Off = inRun("cluster", each.Name+"-off")
		}
	}
	return found, found.check()
}

func (s services) check() error {
	hosts, err := labHosts()
	if err != nil {
		return err
	}
	known := map[string]bool{engineUnit: s.Engine != nil, registryUnit: s.Registry}
	for _, each := range s.Services { // in the file's order: what is waited for stands above
		if each.Name == "" || len(each.Argv) == 0 || known[each.Name] {
			return fmt.Errorf("%s: a service without a name of its own or a program: %q", servicesFile, each.Name)
		}
		for _, other := range each.After {
			if other == engineUnit && known[other] && !hosts[0].isLab() {
				return fmt.Errorf("%s: %s waits for the engine, and every host of this lab has one", servicesFile, each.Name)
			}
			if !known[other] {
				return fmt.Errorf("%s: %s waits for %s, which does not stand before it", servicesFile, each.Name, other)
			}
		}
		known[each.Name] = true
	}
	if s.Engine != nil {
		for _, other := range s.Engine.After {
			if !known[other] || other == engineUnit {
				return fmt.Errorf("%s: the engine waits for %s", servicesFile, other)
			}
		}
	}
	return nil
}

// hasEngine says whether this lab's image brings an engine.
func hasEngine() bool {
	found, err := labServices()
	return err != nil || found.Engine != nil
}

// lacks names what a tool needs and this lab's image does not bring, or nothing.
func lacks(tool string) string {
	found, err := labServices()
	switch {
	case err != nil:
	case found.Engine == nil && (tool == "docker" || tool == "build"):
		return "engine"
	case !found.Registry && tool == "registry":
		return "registry"
	}
	return ""
}
