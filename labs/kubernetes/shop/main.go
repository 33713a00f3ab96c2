// Command shop is the little web server that Kubernetes exercises deploy: it tells its version and which pod
// answers, shows its configuration, and fails on request.
package main

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	address = ":8080"
	// A pod that is told to end stays in Services for a moment: it goes on answering so long.
	farewell = time.Second
	mostWork = 10 * time.Second
	// The version that starts and listens, but is never healthy.
	brokenVersion = "v3"
)

// shop is one running server. Its directory is where ConfigMaps and Secrets are mounted.
type shop struct {
	version   string
	name      string
	directory string
	getenv    func(string) string
	exit      func(int)
}

func (s *shop) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, "shop %s (%s)\n", s.version, s.name)
	})
	mux.HandleFunc("GET /version", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, s.version) })
	mux.HandleFunc("GET /healthz", s.health)
	mux.HandleFunc("GET /config", s.config)
	mux.HandleFunc("GET /work", work)
	mux.HandleFunc("/crash", func(http.ResponseWriter, *http.Request) {
		log.Print("asked to crash: exiting with 1")
		s.exit(1)
	})
	return logged(mux)
}

// logged writes a line for every request but those of probes.
func logged(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/healthz" {
			log.Printf("%s %s", r.Method, r.URL.Path)
		}
		next.ServeHTTP(w, r)
	})
}

func (s *shop) health(w http.ResponseWriter, _ *http.Request) {
	if s.version == brokenVersion {
		http.Error(w, "not healthy", http.StatusInternalServerError)
		return
	}
	fmt.Fprintln(w, "ok")
}

func (s *shop) config(w http.ResponseWriter, _ *http.Request) {
	file, err := os.ReadFile(s.directory + "/greeting.txt")
	if err != nil {
		file = []byte("-")
	}
	token := "unset"
	if _, err := os.Stat(s.directory + "/secret/token"); err == nil || s.getenv("TOKEN") != "" {
		token = "set"
	}
	fmt.Fprintf(w, "GREETING=%s\nfile=%s\ntoken=%s\n", s.getenv("GREETING"), strings.TrimRight(string(file), "\n"), token)
}

// work burns CPU for ?ms=N milliseconds.
func work(w http.ResponseWriter, r *http.Request) {
	ms, err := strconv.Atoi(r.URL.Query().Get("ms"))
	wanted := time.Duration(ms) * time.Millisecond
	if err != nil || ms < 0 || wanted > mostWork {
		http.Error(w, fmt.Sprintf("ms: 0 to %d", mostWork.Milliseconds()), http.StatusBadRequest)
		return
	}
	rounds, end := 0, time.Now().Add(wanted)
	for x := uint64(1); time.Now().Before(end) && r.Context().Err() == nil; rounds++ {
		for range 10_000 {
			x = x*6364136223846793005 + 1442695040888963407
		}
	}
	fmt.Fprintf(w, "worked %d ms (%d rounds)\n", ms, rounds)
}

// serve answers until the context ends and for the farewell after that.
func serve(ctx context.Context, server *http.Server) error {
	failed := make(chan error, 1)
	go func() { failed <- server.ListenAndServe() }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	log.Printf("told to end: answering for another %s", farewell)
	time.Sleep(farewell)
	last, cancel := context.WithTimeout(context.Background(), mostWork)
	defer cancel()
	return server.Shutdown(last)
}

func main() {
	log.SetFlags(log.Ltime)
	name, err := os.Hostname()
	if err != nil {
		log.Fatal(err)
	}
	version := os.Getenv("SHOP_VERSION")
	if version == "" {
		version = "v0"
	}
	if os.Getenv("SHOP_CRASH") == "1" {
		log.Fatalf("shop %s: cannot start: SHOP_CRASH=1 is set", version)
	}
	s := &shop{version: version, name: name, directory: "/etc/shop", getenv: os.Getenv, exit: os.Exit}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	log.Printf("shop %s listens on %s", version, address)
	if err := serve(ctx, &http.Server{Addr: address, Handler: s.handler(), ReadHeaderTimeout: 5 * time.Second}); err != nil {
		log.Fatal(err)
	}
}
