package control

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
)

const usage = "usage: naru-cluster control METHOD PATH [BODY]   (BODY \"-\": from standard input)\n"

// Command is `naru-cluster control METHOD PATH [BODY]`: asks the socket, prints the answer, returns the exit status: 0 when
// the answer is good, 1 when it is not, 2 for wrong use. NARU_CONTROL_SOCKET names another socket.
func Command(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	if len(args) < 2 || len(args) > 3 || !strings.HasPrefix(args[1], "/") {
		_, _ = io.WriteString(stderr, usage)
		return 2
	}
	var body io.Reader
	if len(args) == 3 {
		if body = strings.NewReader(args[2]); args[2] == "-" {
			body = stdin
		}
	}
	socket := os.Getenv("NARU_CONTROL_SOCKET")
	if socket == "" {
		socket = Socket
	}
	client := &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", socket)
		},
	}}
	defer client.CloseIdleConnections()
	request, err := http.NewRequestWithContext(ctx, strings.ToUpper(args[0]), "http://cluster"+args[1], body)
	if err != nil {
		_, _ = fmt.Fprintln(stderr, err)
		return 2
	}
	response, err := client.Do(request)
	if err != nil {
		_, _ = fmt.Fprintln(stderr, err)
		return 1
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode >= http.StatusBadRequest {
		text, _ := io.ReadAll(io.LimitReader(response.Body, mostBody))
		_, _ = fmt.Fprintf(stderr, "%s: %s\n", response.Status, told(text))
		return 1
	}
	if _, err := io.Copy(stdout, response.Body); err != nil {
		_, _ = fmt.Fprintln(stderr, err)
		return 1
	}
	return 0
}

// told is the message in an answer that is an error.
func told(text []byte) string {
	var body struct {
		Error string `json:"error"`
		Waits string `json:"waits"`
	}
	if json.Unmarshal(text, &body) == nil && body.Error+body.Waits != "" {
		return body.Error + body.Waits
	}
	return string(bytes.TrimSpace(text))
}
