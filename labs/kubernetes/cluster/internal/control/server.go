// Package control answers the grader's side of a lab over a unix socket: is the cluster ready, what is in it, what
// happens, save and load, and the switches of its simulated parts. Only the attendant talks to it.
package control

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"naru/cluster/internal/facts"
	"naru/cluster/internal/state"
)

const (
	// Socket is where the control socket lies in a lab.
	Socket = "/run/naru/cluster/control.sock"

	mostBody    = 64 << 10         // of a request other than a saved state
	patience    = 15 * time.Second // for one question to the API
	loadSeconds = 60 * time.Second
	onTheWay    = 600 * time.Millisecond // how much later than it happened something may be told: facts waits for calm
)

// Finder hands out objects (facts.Objects).
type Finder interface {
	Find(ctx context.Context, query facts.Query) ([]byte, error)
}

// Picture tells what there is and what happens (facts.Facts).
type Picture interface {
	Topology() ([]byte, error)
	Follow(ctx context.Context, since time.Time, give func(lines [][]byte) error) error
	Between(since, until time.Time) [][]byte
}

// Store saves and loads the cluster's state (state.Gate).
type Store interface {
	Save(ctx context.Context) ([]byte, error)
	Load(ctx context.Context, from io.Reader) error
}

// Switches works the simulated parts of the cluster.
type Switches interface {
	// Waits says what the cluster still waits for before it is ready; "" when it is.
	Waits(ctx context.Context) string
	// Power turns a node on or off.
	Power(ctx context.Context, node string, on bool) error
	// Simulate makes the simulated nodes be count in number.
	Simulate(ctx context.Context, count int) error
	// Demand sets how much CPU the requests to a Deployment cost in all; "" takes it back.
	Demand(ctx context.Context, namespace, deployment, cpu string) error
}

// Server answers on the control socket.
type Server struct {
	Finder   Finder
	Picture  Picture
	Store    Store
	Switches Switches
}

// errBad is for requests that are wrong in themselves.
type errBad struct{ text string }

func (e errBad) Error() string { return e.text }

// Run answers on a new socket at path until the context ends.
func (s *Server) Run(ctx context.Context, path string) error {
	listener, err := listen(path)
	if err != nil {
		return err
	}
	server := &http.Server{
		Handler: s.Handler(), ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 16 << 10,
		BaseContext: func(net.Listener) context.Context { return ctx },
	}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// listen makes the socket, for its owner only from the first moment on.
func listen(path string) (net.Listener, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
		return nil, err
	}
	// Made under another name in a folder of its own: a umask would be that of the whole process.
	folder, err := os.MkdirTemp(filepath.Dir(path), ".control-") // mode 0700
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	hidden := filepath.Join(folder, "sock")
	listener, err := net.Listen("unix", hidden)
	if err != nil {
		return nil, err
	}
	listener.(*net.UnixListener).SetUnlinkOnClose(false)
	if err := errors.Join(os.Chmod(hidden, 0o600), os.Rename(hidden, path)); err != nil {
		_ = listener.Close()
		return nil, err
	}
	return listener, nil
}

// Handler is the socket's HTTP.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /ready", s.ready)
	mux.HandleFunc("GET /objects", s.objects)
	mux.HandleFunc("GET /watch", s.watch)
	mux.HandleFunc("GET /topology", s.topology)
	mux.HandleFunc("GET /state", s.save)
	mux.HandleFunc("PUT /state", s.load)
	mux.HandleFunc("POST /nodes/{name}/fail", s.power(false))
	mux.HandleFunc("POST /nodes/{name}/revive", s.power(true))
	mux.HandleFunc("PUT /nodes", s.nodes)
	mux.HandleFunc("POST /demand", s.demand)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		answer(w, http.StatusNotFound, map[string]string{"error": "no such path: " + r.Method + " " + r.URL.Path})
	})
	return mux
}

func (s *Server) ready(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	if waits := s.Switches.Waits(ctx); waits != "" {
		answer(w, http.StatusServiceUnavailable, map[string]any{"ready": false, "waits": waits})
		return
	}
	answer(w, http.StatusOK, map[string]bool{"ready": true})
}

func (s *Server) objects(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	asked := r.URL.Query()
	query := facts.Query{Kind: asked.Get("kind"), Namespace: asked.Get("namespace"), Name: asked.Get("name")}
	if asked.Has("selector") {
		selector := asked.Get("selector")
		query.Selector = &selector
	}
	text, err := s.Finder.Find(ctx, query)
	switch {
	case err != nil:
		fail(w, err)
	case text == nil:
		answer(w, http.StatusNotFound, nil)
	default:
		write(w, http.StatusOK, text)
	}
}

func (s *Server) watch(w http.ResponseWriter, r *http.Request) {
	since, err := moment(r, "since", time.Now())
	if err != nil {
		fail(w, err)
		return
	}
	until, err := moment(r, "until", time.Time{})
	if err != nil {
		fail(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/x-ndjson")
	w.WriteHeader(http.StatusOK)
	out := http.NewResponseController(w)
	_ = out.Flush()
	give := func(lines [][]byte) error {
		_ = out.SetWriteDeadline(time.Now().Add(30 * time.Second)) // one who no longer reads is let go
		for _, line := range lines {
			if _, err := w.Write(line); err != nil {
				return err
			}
		}
		return out.Flush()
	}
	if !until.IsZero() {
		until = until.Add(onTheWay)
		select {
		case <-r.Context().Done():
			panic(http.ErrAbortHandler) // an answer that ends by itself is a whole one
		case <-time.After(time.Until(until)):
		}
		if give(s.Picture.Between(since, until)) != nil {
			panic(http.ErrAbortHandler)
		}
		return
	}
	// Ends when the one who asked goes, which is no error.
	_ = s.Picture.Follow(r.Context(), since, give)
}

// moment reads a parameter in seconds since 1970; absent is what it is when it is not there.
func moment(r *http.Request, name string, absent time.Time) (time.Time, error) {
	text := r.URL.Query().Get(name)
	if text == "" {
		return absent, nil
	}
	seconds, err := strconv.ParseFloat(text, 64)
	if err != nil || !(seconds >= 0 && seconds < 1e11) {
		return time.Time{}, errBad{name + ": seconds since 1970 are wanted"}
	}
	return time.UnixMicro(int64(seconds * 1e6)), nil
}

func (s *Server) topology(w http.ResponseWriter, _ *http.Request) {
	text, err := s.Picture.Topology()
	if err != nil {
		fail(w, err)
		return
	}
	write(w, http.StatusOK, text)
}

func (s *Server) save(w http.ResponseWriter, r *http.Request) {
	packed, err := s.Store.Save(r.Context())
	if err != nil {
		fail(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/gzip")
	w.Header().Set("Content-Length", strconv.Itoa(len(packed)))
	_, _ = w.Write(packed)
}

func (s *Server) load(w http.ResponseWriter, r *http.Request) {
	// Not the request's context: a state half put in would be worse than one nobody waits for.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), loadSeconds)
	defer cancel()
	if err := s.Store.Load(ctx, http.MaxBytesReader(w, r.Body, state.MostSaved)); err != nil {
		fail(w, err)
		return
	}
	answer(w, http.StatusOK, map[string]bool{"loaded": true})
}

func (s *Server) power(on bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s.turn(w, r, func(ctx context.Context) error { return s.Switches.Power(ctx, r.PathValue("name"), on) })
	}
}

func (s *Server) nodes(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Simulated *int `json:"simulated"`
	}
	if err := read(w, r, &body); err != nil {
		fail(w, err)
		return
	}
	if body.Simulated == nil {
		fail(w, errBad{"simulated: a number is wanted"})
		return
	}
	s.turn(w, r, func(ctx context.Context) error { return s.Switches.Simulate(ctx, *body.Simulated) })
}

func (s *Server) demand(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Namespace  string `json:"namespace"`
		Deployment string `json:"deployment"`
		CPU        string `json:"cpu"`
	}
	if err := read(w, r, &body); err != nil {
		fail(w, err)
		return
	}
	if body.Namespace == "" {
		body.Namespace = "default"
	}
	s.turn(w, r, func(ctx context.Context) error {
		return s.Switches.Demand(ctx, body.Namespace, body.Deployment, body.CPU)
	})
}

func (s *Server) turn(w http.ResponseWriter, r *http.Request, do func(context.Context) error) {
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	if err := do(ctx); err != nil {
		fail(w, err)
		return
	}
	answer(w, http.StatusOK, map[string]bool{"done": true})
}

// read takes a body of JSON, of which every field must be known.
func read(w http.ResponseWriter, r *http.Request, into any) error {
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, mostBody))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		var long *http.MaxBytesError
		if errors.As(err, &long) {
			return err
		}
		return errBad{"body: " + err.Error()}
	}
	return nil
}

// fail answers with an error: {"error": text} and the status that fits.
func fail(w http.ResponseWriter, err error) {
	status := http.StatusInternalServerError
	var bad errBad
	var long *http.MaxBytesError
	var told apierrors.APIStatus
	switch {
	case errors.As(err, &long): // before the rest: the bytes that were cut off are no saved state either
		status = http.StatusRequestEntityTooLarge
	case errors.As(err, &bad), errors.Is(err, facts.ErrBadQuery), errors.Is(err, facts.ErrUnknownKind), errors.Is(err, state.ErrBadState):
		status = http.StatusBadRequest
	case errors.Is(err, facts.ErrTooLong), errors.Is(err, state.ErrTooLong):
		status = http.StatusRequestEntityTooLarge
	case apierrors.IsNotFound(err):
		status = http.StatusNotFound
	case errors.As(err, &told) && apierrors.IsInvalid(err):
		status = http.StatusBadRequest
	default:
		var net net.Error
		if errors.As(err, &net) || errors.Is(err, context.DeadlineExceeded) || errors.As(err, &told) {
			status = http.StatusServiceUnavailable
		}
	}
	answer(w, status, map[string]string{"error": err.Error()})
}

func answer(w http.ResponseWriter, status int, body any) {
	text, err := json.Marshal(body)
	if err != nil {
		status, text = http.StatusInternalServerError, []byte(`{"error":"the answer cannot be written"}`)
	}
	write(w, status, text)
}

func write(w http.ResponseWriter, status int, text []byte) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(text, '\n'))
}
