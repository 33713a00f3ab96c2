package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Layer is one step of an image; Size in bytes. Cached: the build took it from its cache.
type Layer struct {
	Command string `json:"command"`
	Size    int64  `json:"size"`
	Cached  bool   `json:"cached"`
}

// Leak is a text that was found in an image: in the layer of that index, or -1 in its description.
type Leak struct {
	Text  string `json:"text"`
	Layer int    `json:"layer"`
	Path  string `json:"path"`
}

const (
	byBuildKit  = "buildkit.dockerfile.v0"
	mostLeaks   = 20
	mostSearch  = 512 << 20 // bytes of files of all layers
	mostVisited = 200_000
)

var (
	stepLine   = regexp.MustCompile(`^#(\d+) \[(?:([^\] ]+) +)?(\d+)/(\d+)\] `)
	shellWords = regexp.MustCompile(`^RUN (?:\|\d+ (?:\S+=\S* )*)?/bin/sh -c `) // build arguments, and what runs the line
	cachedLine = regexp.MustCompile(`^#(\d+) CACHED`)
)

// cachedSteps tells for each step of the given stages, from the base up and FROM left out, whether it came from the
// cache. The stages are those that the image is made of, by the names that BuildKit prints.
func cachedSteps(log string, stages []string) []bool {
	type step struct {
		stage  string
		number int
		cached bool
	}
	steps := map[string]*step{}
	for line := range strings.Lines(log) {
		if parts := stepLine.FindStringSubmatch(line); parts != nil && steps[parts[1]] == nil {
			number, err := strconv.Atoi(parts[3])
			if err == nil {
				steps[parts[1]] = &step{stage: parts[2], number: number}
			}
		} else if parts := cachedLine.FindStringSubmatch(line); parts != nil && steps[parts[1]] != nil {
			steps[parts[1]].cached = true
		}
	}
	var cached []bool
	for _, stage := range stages {
		var own []*step
		for _, each := range steps {
			if each.stage == stage && each.number > 1 {
				own = append(own, each)
			}
		}
		slices.SortFunc(own, func(a, b *step) int { return a.number - b.number })
		for _, each := range own {
			cached = append(cached, each.cached)
		}
	}
	return cached
}

// layersOf turns the engine's history (newest first) into layers from the base up. What the base brought is one layer.
func layersOf(history []byte, cached []bool) ([]Layer, error) {
	var rows []struct {
		CreatedBy, Comment string
		Size               int64
	}
	if err := json.Unmarshal(history, &rows); err != nil {
		return nil, err
	}
	slices.Reverse(rows)
	layers := []Layer{{Command: "FROM", Cached: true}}
	step, before := 0, true
	for _, row := range rows {
		if row.Comment != byBuildKit {
			layers[0].Size += row.Size
			continue
		}
		command := shellWords.ReplaceAllString(strings.TrimSuffix(row.CreatedBy, " # buildkit"), "RUN ")
		if makesLayer(command) {
			before = step < len(cached) && cached[step]
			step++
		}
		layers = append(layers, Layer{Command: cut(command, 2000), Size: row.Size, Cached: before})
	}
	return layers, nil
}

// makesLayer tells steps that BuildKit carries out from those that only describe.
func makesLayer(command string) bool {
	name, _, _ := strings.Cut(command, " ")
	return slices.Contains([]string{"RUN", "COPY", "ADD", "WORKDIR"}, name)
}

// findLeaks looks for texts in the description of an image and in the files of each layer that the build added,
// also of those that a later layer hides.
func findLeaks(ctx context.Context, image json.RawMessage, texts []string) ([]Leak, error) {
	search := &leakSearch{ctx: ctx, leaks: []Leak{}, left: mostSearch, entries: mostVisited}
	for _, text := range texts {
		if text != "" {
			search.texts = append(search.texts, []byte(text))
		}
	}
	history, err := engineGet(ctx, host{}, "/images/"+builtName+"/history", mostAnswer)
	if err != nil {
		return nil, err
	}
	search.look(image, -1, "config")
	search.look(history, -1, "history")
	var document struct {
		GraphDriver struct {
			Data struct{ UpperDir, LowerDir string }
		}
	}
	if err := json.Unmarshal(image, &document); err != nil {
		return nil, err
	}
	data := document.GraphDriver.Data
	folders := append([]string{data.UpperDir}, strings.Split(data.LowerDir, ":")...)
	slices.Reverse(folders)
	baked, _ := readSmall(filepath.Join(bakedDirectory, "layers"), 64<<10)
	for index, folder := range folders {
		id := filepath.Base(filepath.Dir(folder))
		if folder == "" || slices.Contains(strings.Fields(string(baked)), id) {
			continue // ours: nothing of the learner's can be in it
		}
		if err := search.walk(folder, index); err != nil {
			return nil, err
		}
	}
	return search.leaks, nil
}

type leakSearch struct {
	ctx     context.Context
	texts   [][]byte
	leaks   []Leak
	left    int64
	entries int
}

var errEnough = errors.New("enough")

func (s *leakSearch) look(content []byte, layer int, path string) {
	for _, text := range s.texts {
		if bytes.Contains(content, text) && len(s.leaks) < mostLeaks {
			s.leaks = append(s.leaks, Leak{string(text), layer, cut(path, 300)})
		}
	}
}

func (s *leakSearch) walk(folder string, layer int) error {
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if s.ctx.Err() != nil {
			return s.ctx.Err()
		}
		if s.entries--; s.entries < 0 || s.left < 0 || len(s.leaks) >= mostLeaks {
			return errEnough
		}
		if err != nil {
			return nil // gone or unreadable: nothing is found there
		}
		name := strings.TrimPrefix(path, folder)
		s.look([]byte(name), layer, name)
		if entry.Type().IsRegular() {
			s.file(path, name, layer)
		}
		return nil
	})
	if errors.Is(err, errEnough) {
		return nil
	}
	return err
}

// file searches in pieces that overlap, so that no text is cut in two.
func (s *leakSearch) file(path, name string, layer int) {
	descriptor, err := unix.Open(path, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return
	}
	file := os.NewFile(uintptr(descriptor), path)
	defer file.Close()
	overlap := 0
	for _, text := range s.texts {
		overlap = max(overlap, len(text)-1)
	}
	buffer := make([]byte, overlap+256<<10)
	kept, before := 0, len(s.leaks)
	for s.left >= 0 && s.ctx.Err() == nil {
		n, err := io.ReadFull(file, buffer[kept:])
		s.left -= int64(n)
		s.look(buffer[:kept+n], layer, name)
		if err != nil || len(s.leaks) > before {
			return
		}
		kept = copy(buffer, buffer[kept+n-overlap:kept+n])
	}
}
