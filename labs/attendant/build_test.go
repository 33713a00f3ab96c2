package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestRefusalNamesWhatReachesOut(t *testing.T) {
	base := "FROM busybox:1.37\n"
	for name, text := range map[string]string{
		"syntax":       "# syntax=docker/dockerfile:1\n" + base,
		"add-url":      base + "ADD https://example.com/x /x\n",
		"add-git":      base + "ADD git@example.com:a/b.git /x\n",
		"add-by-arg":   base + "ARG U=http://example.com\nADD ${U}/x /x\n",
		"secret":       base + "RUN --mount=type=secret,id=a cat /run/secrets/a\n",
		"ssh":          base + "RUN --mount=target=/x,type=ssh true\n",
		"host-network": base + "RUN --network=host true\n",
		"security":     base + "RUN --security=insecure true\n",
		"continued":    base + "RUN \\\n  --network=host \\\n true\n",
		"many":         base + strings.Repeat("RUN true\n", 400),
	} {
		if reason, _ := refusal(text, nil); !strings.HasSuffix(reason, "요.") {
			t.Errorf("%s: refused with %q", name, reason)
		}
	}
}

func TestRefusalLetsOrdinaryDockerfilesThrough(t *testing.T) {
	text := `# a comment
ARG TAG=3.13-slim
FROM --platform=linux/amd64 python:${TAG} AS build
COPY --chown=1000:1000 requirements.txt .
RUN --mount=type=cache,target=/root/.cache pip install -r requirements.txt && curl --network=host http://x
COPY <<EOF /etc/motd
FROM nowhere
ADD http://nowhere /x
EOF
FROM busybox:1.37
COPY --from=build /app /app
COPY --from=0 /app /app2
COPY --from=nginx:1.28 /etc/nginx /n
RUN --mount=type=bind,from=tools:1,target=/t true
FROM build
`
	reason, images := refusal(text, map[string]string{"TAG": "3.13-slim"})
	if reason != "" {
		t.Fatal(reason)
	}
	if want := []string{"python:3.13-slim", "busybox:1.37", "nginx:1.28", "tools:1"}; !slices.Equal(images, want) {
		t.Fatalf("images %q", images)
	}
}

const plainLog = `#1 [internal] load build definition from Dockerfile
#4 [build 1/2] FROM docker.io/library/python:3.13-slim
#5 [stage-1 1/4] FROM docker.io/library/busybox:1.37
#6 [build 2/2] RUN make
#6 CACHED

#7 [stage-1 2/4] WORKDIR /app
#7 CACHED

#8 [stage-1 3/4] COPY requirements.txt .
#8 CACHED

#9 [stage-1 4/4] COPY . .
#9 DONE 0.1s
`

func TestCachedStepsAreThoseOfTheLastStage(t *testing.T) {
	if found := cachedSteps(plainLog, []string{"stage-1"}); !slices.Equal(found, []bool{true, true, false}) {
		t.Fatal(found)
	}
	if found := cachedSteps(plainLog, []string{"build", "stage-1"}); !slices.Equal(found, []bool{true, true, true, false}) {
		t.Fatal(found)
	}
}

func TestStagesAreTheChainOfTheLastOne(t *testing.T) {
	for text, want := range map[string][]string{
		"FROM a\nRUN x\n": {""},
		"FROM a AS Build\nFROM b\nCOPY --from=build /x /x\n":           {"stage-1"},
		"FROM a AS Deps\nFROM other\nFROM deps\nRUN x\n":               {"deps", "stage-2"},
		"ARG BASE=one\nFROM a AS one\nFROM ${BASE} AS two\nFROM two\n": {"one", "two", "stage-2"},
	} {
		if found := stagesOf(text, nil); !slices.Equal(found, want) {
			t.Errorf("%q: %q", text, found)
		}
	}
}

func TestLayersJoinTheBaseAndTellTheCache(t *testing.T) {
	history := `[
		{"CreatedBy": "CMD [\"x\"]", "Size": 0, "Comment": "buildkit.dockerfile.v0"},
		{"CreatedBy": "COPY . . # buildkit", "Size": 5, "Comment": "buildkit.dockerfile.v0"},
		{"CreatedBy": "USER 1000", "Size": 0, "Comment": "buildkit.dockerfile.v0"},
		{"CreatedBy": "COPY requirements.txt . # buildkit", "Size": 3, "Comment": "buildkit.dockerfile.v0"},
		{"CreatedBy": "WORKDIR /app", "Size": 0, "Comment": "buildkit.dockerfile.v0"},
		{"CreatedBy": "two", "Size": 20, "Comment": ""},
		{"CreatedBy": "one", "Size": 100, "Comment": ""}]`
	layers, err := layersOf([]byte(history), []bool{true, true, false})
	if err != nil {
		t.Fatal(err)
	}
	want := []Layer{
		{"FROM", 120, true}, {"WORKDIR /app", 0, true}, {"COPY requirements.txt .", 3, true},
		{"USER 1000", 0, true}, {"COPY . .", 5, false}, {`CMD ["x"]`, 0, false},
	}
	if !slices.Equal(layers, want) {
		t.Fatalf("%+v", layers)
	}
}

func TestLeaksAreFoundAcrossPiecesAndInNames(t *testing.T) {
	folder := t.TempDir()
	long := strings.Repeat("x", 256<<10-3) + "secret-8c41" + strings.Repeat("y", 9000)
	if err := os.WriteFile(filepath.Join(folder, "big"), []byte(long), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "named-secret-8c41"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/proc/self/mem", filepath.Join(folder, "link")); err != nil {
		t.Fatal(err)
	}
	search := &leakSearch{ctx: t.Context(), texts: [][]byte{[]byte("secret-8c41")}, left: mostSearch, entries: 100}
	if err := search.walk(folder, 2); err != nil {
		t.Fatal(err)
	}
	if len(search.leaks) != 2 || search.leaks[0] != (Leak{"secret-8c41", 2, "/big"}) || search.leaks[1].Path != "/named-secret-8c41" {
		t.Fatalf("%+v", search.leaks)
	}
}

func TestContextStaysInItsFolder(t *testing.T) {
	for _, name := range []string{"../x", "/etc/x", "a/../../x", ""} {
		if err := writeContext(t.TempDir(), map[string]string{name: "x"}); err == nil {
			t.Errorf("%q was written", name)
		}
	}
}

func TestLogKeepsHeadAndTail(t *testing.T) {
	log := "head" + strings.Repeat("가", 100_000) + "tail"
	short := shortened(log)
	if len(short) > logHead+logTail+10 || !strings.HasPrefix(short, "head") || !strings.HasSuffix(short, "tail") {
		t.Fatal(len(short))
	}
}
