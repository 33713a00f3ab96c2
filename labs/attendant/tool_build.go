package main

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"
)

const (
	builtName     = "naru-answer"
	mostContext   = 512 << 10
	mostBuildText = 4 << 20 // BuildKit itself clips a step's output at 2 MiB
	logHead       = 16 << 10
	logTail       = 48 << 10
	ranSeconds    = 30
	ranOutput     = 64 << 10
)

type buildRequest struct {
	Files     map[string]string `json:"files"`
	BuildArgs map[string]string `json:"build_args"`
	Edit      map[string]string `json:"edit"`
	Run       []string          `json:"run"`
	Stdin     string            `json:"stdin"`
	Leaks     []string          `json:"leaks"`
	Seconds   float64           `json:"seconds"`
}

// Built is what became of one build. Layers are from the base up.
type Built struct {
	Built   bool            `json:"built"`
	Refused string          `json:"refused"`
	Log     string          `json:"log"`
	Image   json.RawMessage `json:"image"`
	Layers  []Layer         `json:"layers"`
	Ended   string          `json:"ended"` // exit | time
}

// BuildAnswer is the first build, and what was done with it.
type BuildAnswer struct {
	Built
	Rebuild *Built         `json:"rebuild"`
	Ran     map[string]any `json:"ran"`
	Leaked  []Leak         `json:"leaked"`
}

// askBuild makes an image of the files, runs it, looks for texts that must not be in it, and makes it again after
// an edit. The lab it runs in is thrown away afterwards.
func askBuild(ctx context.Context, text json.RawMessage) (any, error) {
	var request buildRequest
	if err := decode(text, &request); err != nil {
		return nil, err
	}
	if request.Seconds > 0 {
		limited, cancel := context.WithTimeout(ctx, time.Duration(request.Seconds*float64(time.Second)))
		defer cancel()
		ctx = limited
	}
	folder, err := os.MkdirTemp("", "naru-build-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	if err := writeContext(folder, request.Files); err != nil {
		return nil, err
	}
	answer := BuildAnswer{Leaked: []Leak{}}
	answer.Built, err = build(ctx, folder, request)
	if err != nil || !answer.Built.Built {
		return answer, err
	}
	if len(request.Run) > 0 {
		answer.Ran = ranIn(ctx, builtName, request.Run, request.Stdin)
	}
	if len(request.Leaks) > 0 {
		if answer.Leaked, err = findLeaks(ctx, answer.Image, request.Leaks); err != nil {
			return nil, err
		}
	}
	if len(request.Edit) > 0 {
		if err := writeContext(folder, request.Edit); err != nil {
			return nil, err
		}
		again, err := build(ctx, folder, request)
		if err != nil {
			return nil, err
		}
		answer.Rebuild = &again
	}
	return answer, nil
}

// writeContext puts files below a folder that nobody else writes.
func writeContext(folder string, files map[string]string) error {
	size := 0
	for name, text := range files {
		size += len(text)
		if !filepath.IsLocal(name) || size > mostContext || len(files) > 1000 {
			return wrong("a file that cannot be part of a build: %q", cut(name, 100))
		}
		target := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(target, []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

func build(ctx context.Context, folder string, request buildRequest) (Built, error) {
	dockerfile, err := readSmall(filepath.Join(folder, "Dockerfile"), mostContext)
	if errors.Is(err, os.ErrNotExist) {
		return Built{Refused: "Dockerfile이 없어요. 이름이 정확히 `Dockerfile`인지 살펴보세요.", Layers: []Layer{}}, nil
	}
	if err != nil {
		return Built{}, err
	}
	reason, images := refusal(string(dockerfile), request.BuildArgs)
	if reason == "" {
		reason, err = missingImage(ctx, images)
	}
	if err != nil || reason != "" {
		return Built{Refused: reason, Layers: []Layer{}}, err
	}
	argv := []string{"docker", "build", "--progress=plain", "--tag", builtName}
	for name, value := range request.BuildArgs {
		argv = append(argv, "--build-arg", name+"="+value)
	}
	done, err := command{argv: append(argv, "."), output: mostBuildText, directory: folder, env: []string{"DOCKER_BUILDKIT=1"}}.run(ctx)
	if err != nil {
		return Built{}, err
	}
	log := strings.ToValidUTF8(string(done.stdout)+string(done.stderr), "\uFFFD")
	result := Built{Log: shortened(log), Ended: done.reason, Layers: []Layer{}}
	if done.exitCode == nil || *done.exitCode != 0 || done.reason != "exit" {
		return result, nil
	}
	return described(ctx, result, cachedSteps(log, stagesOf(string(dockerfile), request.BuildArgs)))
}

// described adds what the engine says of the image that was just built.
func described(ctx context.Context, result Built, cached []bool) (Built, error) {
	image, err := engineGet(ctx, host{}, "/images/"+builtName+"/json", mostAnswer)
	if err != nil {
		return Built{}, err
	}
	history, err := engineGet(ctx, host{}, "/images/"+builtName+"/history", mostAnswer)
	if err != nil {
		return Built{}, err
	}
	if image == nil || plainDocument(image) != nil {
		return result, nil
	}
	result.Built, result.Image = true, image
	result.Layers, err = layersOf(history, cached)
	return result, err
}

// missingImage says in Korean which image is not in the lab; nothing can be fetched here.
func missingImage(ctx context.Context, images []string) (string, error) {
	for _, image := range images {
		if len(image) > 255 || strings.ContainsAny(image, "?#%\\ ") {
			return "이미지 이름 `" + cut(image, 80) + "`을 읽을 수 없어요. 이름을 다시 살펴보세요.", nil
		}
		document, err := engineGet(ctx, host{}, (&url.URL{Path: path.Join("/images", image, "json")}).EscapedPath(), mostAnswer)
		if err != nil && !strings.Contains(err.Error(), "answered 400") {
			return "", err
		}
		if document == nil {
			return "`" + cut(image, 80) + "` 이미지가 실습 환경에 없어요. 바깥 네트워크가 없어서 받아 올 수도 없어요. `docker images`에 나오는 이미지를 쓰세요.", nil
		}
	}
	return "", nil
}

// ranIn runs a command in a new container of the image, without a network.
func ranIn(ctx context.Context, image string, argv []string, stdin string) map[string]any {
	limited, cancel := context.WithTimeout(ctx, ranSeconds*time.Second)
	defer cancel()
	words := append([]string{"docker", "run", "--rm", "--interactive", "--network=none", "--pull=never", image}, argv...)
	done, err := command{argv: words, stdin: []byte(stdin), output: ranOutput}.run(limited)
	if err != nil {
		return nil
	}
	return describe(done)
}

// shortened keeps the beginning and, as that is where errors stand, more of the end.
func shortened(log string) string {
	if len(log) <= logHead+logTail {
		return log
	}
	tail := log[len(log)-logTail:]
	for len(tail) > 0 && tail[0]&0xC0 == 0x80 { // the rest of a character
		tail = tail[1:]
	}
	return cut(log, logHead) + "\n…\n" + tail
}
