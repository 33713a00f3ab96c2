package main

import (
	"regexp"
	"strconv"
	"strings"
)

// instruction is one line of a Dockerfile with its continuations joined; the name is upper case.
type instruction struct{ name, rest string }

const mostInstructions = 300

var (
	heredoc    = regexp.MustCompile(`<<-?["']?([A-Za-z_][A-Za-z0-9_]*)["']?`)
	variable   = regexp.MustCompile(`\$\{([A-Za-z_][A-Za-z0-9_]*)(:-([^}]*))?\}|\$([A-Za-z_][A-Za-z0-9_]*)`)
	flagFrom   = regexp.MustCompile(`^--from=(\S+)$`)
	mountType  = regexp.MustCompile(`(^|,)type=(secret|ssh)(,|$)`)
	mountFrom  = regexp.MustCompile(`(?:^|,)from=([^,\s]+)`)
	remoteAdd  = regexp.MustCompile(`(?i)^(https?|git|ssh|ftp)://|^git@`)
	stageName  = regexp.MustCompile(`(?i)^(.*)\s+as\s+(\S+)\s*$`)
	syntaxLine = regexp.MustCompile(`(?i)^#\s*syntax\s*=`)
)

// instructionsOf reads a Dockerfile well enough to know what it fetches; BuildKit itself says what is wrong with it.
func instructionsOf(text string) []instruction {
	var found []instruction
	var joined, until string
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		trimmed := strings.TrimSpace(line)
		if until != "" {
			if strings.TrimLeft(trimmed, "\t") == until {
				until = ""
			}
			continue
		}
		if strings.HasPrefix(trimmed, "#") || (trimmed == "" && joined == "") {
			continue
		}
		if rest, more := strings.CutSuffix(trimmed, "\\"); more {
			joined += rest + " "
			continue
		}
		name, rest, _ := strings.Cut(strings.TrimSpace(joined+trimmed), " ")
		joined = ""
		if name == "" {
			continue
		}
		each := instruction{strings.ToUpper(name), strings.TrimSpace(rest)}
		if mark := heredoc.FindStringSubmatch(each.rest); mark != nil && (each.name == "RUN" || each.name == "COPY" || each.name == "ADD") {
			until = mark[1]
		}
		found = append(found, each)
	}
	return found
}

// stagesOf names the stages that the image consists of, from the base up, as BuildKit names them in its log: the last
// one, the one it begins from, and so on.
func stagesOf(text string, arguments map[string]string) []string {
	type stage struct{ name, base string }
	var stages []stage
	values := map[string]string{}
	for _, each := range instructionsOf(text) {
		switch each.name {
		case "ARG":
			readArguments(each, arguments, values)
		case "FROM":
			base, name := each.rest, "stage-"+strconv.Itoa(len(stages))
			if parts := stageName.FindStringSubmatch(base); parts != nil {
				base, name = parts[1], parts[2]
			}
			stages = append(stages, stage{strings.ToLower(name), strings.ToLower(filled(withoutFlags(base), values))})
		}
	}
	if len(stages) == 1 {
		return []string{""} // BuildKit leaves the name of an only stage away
	}
	var chain []string
	wanted := ""
	for i := len(stages) - 1; i >= 0; i-- {
		if i == len(stages)-1 || stages[i].name == wanted {
			chain = append([]string{stages[i].name}, chain...)
			wanted = stages[i].base
		}
	}
	return chain
}

// readArguments takes the values of an ARG line; a build argument goes before a default.
func readArguments(line instruction, arguments, values map[string]string) {
	for _, word := range strings.Fields(line.rest) {
		name, value, _ := strings.Cut(word, "=")
		if given, ok := arguments[name]; ok {
			value = given
		}
		values[name] = strings.Trim(value, `"'`)
	}
}

// refusal says in Korean why a Dockerfile is not built, or nothing. images are what it takes from outside its stages.
func refusal(text string, arguments map[string]string) (reason string, images []string) {
	for line := range strings.Lines(text) {
		if trimmed := strings.TrimSpace(line); syntaxLine.MatchString(trimmed) {
			return "`# syntax=` 줄은 빌더를 밖에서 받아 와야 해서 여기서는 쓸 수 없어요. 그 줄을 지우고 다시 해 보세요.", nil
		} else if !strings.HasPrefix(trimmed, "#") {
			break
		}
	}
	all := instructionsOf(text)
	if len(all) > mostInstructions {
		return "Dockerfile의 줄이 너무 많아요. 300줄 안으로 줄여 주세요.", nil
	}
	stages, values := map[string]bool{}, map[string]string{}
	for _, each := range all {
		words := strings.Fields(each.rest)
		switch each.name {
		case "ARG":
			readArguments(each, arguments, values)
		case "FROM":
			base, name := each.rest, ""
			if parts := stageName.FindStringSubmatch(base); parts != nil {
				base, name = parts[1], parts[2]
			}
			base = filled(withoutFlags(base), values)
			if !stages[strings.ToLower(base)] && base != "scratch" && base != "" {
				images = append(images, base)
			}
			stages[strings.ToLower(name)] = true
		case "ADD", "COPY", "RUN":
			reason, image := refusedWords(each.name, words, values, stages)
			if reason != "" {
				return reason, nil
			}
			images = append(images, image...)
		}
	}
	return "", images
}

func refusedWords(name string, words []string, values map[string]string, stages map[string]bool) (string, []string) {
	var images []string
	take := func(image string) {
		image = filled(image, values)
		if !stages[strings.ToLower(image)] && strings.Trim(image, "0123456789") != "" {
			images = append(images, image)
		}
	}
	for _, word := range words {
		isFlag := strings.HasPrefix(word, "--")
		switch {
		case name == "ADD" && remoteAdd.MatchString(strings.Trim(filled(word, values), `[]",'`)):
			return "`ADD`로 인터넷의 파일을 받을 수는 없어요. 실습 환경에는 바깥 네트워크가 없어요. 파일을 함께 두고 `COPY`로 옮겨 보세요.", nil
		case !isFlag && name == "RUN":
			return "", images // the command has begun
		case !isFlag:
			continue
		case name == "COPY" && flagFrom.MatchString(word):
			take(flagFrom.FindStringSubmatch(word)[1])
		case name == "RUN" && strings.HasPrefix(word, "--mount="):
			options := strings.TrimPrefix(word, "--mount=")
			if mountType.MatchString(options) {
				return "`--mount=type=secret`과 `type=ssh`는 빌드하는 컴퓨터의 비밀을 빌려 쓰는 방법이라 여기서는 쓸 수 없어요.", nil
			}
			if from := mountFrom.FindStringSubmatch(options); from != nil {
				take(from[1])
			}
		case name == "RUN" && strings.HasPrefix(word, "--network=") && word != "--network=none" && word != "--network=default":
			return "`RUN --network=host`는 여기서 쓸 수 없어요. 그 부분을 지우고 다시 해 보세요.", nil
		case name == "RUN" && strings.HasPrefix(word, "--security"):
			return "`RUN --security`는 여기서 쓸 수 없어요. 그 부분을 지우고 다시 해 보세요.", nil
		}
	}
	return "", images
}

func withoutFlags(text string) string {
	words := strings.Fields(text)
	for len(words) > 0 && strings.HasPrefix(words[0], "--") {
		words = words[1:]
	}
	return strings.Join(words, " ")
}

// filled puts the values of ARG lines where they are named; one without a value is empty.
func filled(text string, values map[string]string) string {
	return variable.ReplaceAllStringFunc(text, func(place string) string {
		parts := variable.FindStringSubmatch(place)
		name := parts[1] + parts[4]
		if value := values[name]; value != "" {
			return value
		}
		return parts[3]
	})
}
