package store

import (
	"context"
	"os"
	"path/filepath"
	"testing"
)

func TestWhatIsWrittenIsListed(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	backend, err := Open(ctx)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "store.sock")
	if err := os.WriteFile(path, nil, 0o600); err != nil { // of a run before
		t.Fatal(err)
	}
	endpoint, err := Serve(ctx, backend, path)
	if err != nil || endpoint != "unix://"+path {
		t.Fatal(endpoint, err)
	}
	if _, err := backend.Create(ctx, "/registry/pods/default/shop", []byte("written"), 0); err != nil {
		t.Fatal(err)
	}
	_, found, err := backend.List(ctx, "/registry/", "/registry0", 0, 0, false)
	if err != nil {
		t.Fatal(err)
	}
	written := ""
	for _, one := range found { // the store has a key of its own there
		if one.Key == "/registry/pods/default/shop" {
			written = string(one.Value)
		}
	}
	if written != "written" {
		t.Errorf("%d keys, and %q", len(found), written)
	}
	cancel()
}
