package simulated

import (
	"bytes"
	_ "embed"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"text/template"

	"naru/cluster/internal/config"
)

//go:embed stages.yaml
var stagesText string

const (
	logFile = "simulated.log" // what `kubectl logs` shows of every simulated container
	// As a container runtime writes it; the learner reads what stands after the third blank.
	logText = "2026-01-01T00:00:00.000000000Z stdout F 흉내 노드의 컨테이너는 실제로 돌지 않아서 로그가 없어요.\n"

	// Tags that an image without one in the catalogue may have: versions, and the words one meets.
	tags   = `(v?[0-9][a-z0-9._-]*|(latest|stable|mainline|lts|edge|alpine|slim|trixie|bookworm|bullseye|noble|jammy)(-[a-z0-9._-]+)?)`
	digest = `(@sha256:[0-9a-f]{64})?`
	// Registries that have the images of the catalogue.
	registries = `((docker.io/)?library/|docker.io/|registry.naru:5000/)?`
)

var imageName = regexp.MustCompile(`^[a-z0-9]+([._/-][a-z0-9]+)*(:[a-z0-9][a-z0-9._-]*)?$`)

// stages gives kwok's configuration: how Nodes and Pods go on.
func stages(c config.Config) ([]byte, error) {
	known, err := knownImages(c.Simulated.Images)
	if err != nil {
		return nil, err
	}
	parsed, err := template.New("stages").Delims("<%", "%>").Parse(stagesText)
	if err != nil {
		return nil, err
	}
	var text bytes.Buffer
	err = parsed.Execute(&text, map[string]string{"Known": known, "Log": filepath.Join(c.Directory, logFile)})
	return text.Bytes(), err
}

// knownImages gives the pattern of the images that can be pulled. A name with a tag stands for that tag only. The pattern
// has neither quotes nor backslashes, for it is put into YAML, jq and templates.
func knownImages(images []string) (string, error) {
	var whole, names []string
	for _, image := range images {
		switch {
		case !imageName.MatchString(image):
			return "", fmt.Errorf("simulated.images: %q is no name of an image", image)
		case strings.Contains(image, ":"):
			whole = append(whole, image)
		default:
			names = append(names, image)
		}
	}
	if len(names) > 0 { // once for all names: the pattern is compiled for each look at a Pod
		whole = append(whole, "("+strings.Join(names, "|")+")(:"+tags+")?")
	}
	if len(whole) == 0 {
		return "^$", nil
	}
	return dots("^" + registries + "(" + strings.Join(whole, "|") + ")" + digest + "$"), nil
}

// dots makes the dots outside of brackets stand for themselves.
func dots(pattern string) string {
	var out strings.Builder
	inside := false
	for _, each := range pattern {
		switch {
		case each == '[':
			inside = true
		case each == ']':
			inside = false
		case each == '.' && !inside:
			out.WriteString("[.]")
			continue
		}
		out.WriteRune(each)
	}
	return out.String()
}
