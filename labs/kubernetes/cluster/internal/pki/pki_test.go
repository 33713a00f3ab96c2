package pki

import (
	"crypto/tls"
	"crypto/x509"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/client-go/tools/clientcmd"
)

func made(t *testing.T) *PKI {
	p, err := Make(filepath.Join(t.TempDir(), "cluster"), 16443)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestTheServersCertificateIsGoodForItsNames(t *testing.T) {
	p := made(t)
	if _, err := tls.LoadX509KeyPair(p.Cert, p.Key); err != nil {
		t.Fatal(err)
	}
	authority, err := os.ReadFile(p.CA)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(authority) {
		t.Fatal("no authority")
	}
	pair, _ := tls.LoadX509KeyPair(p.Cert, p.Key)
	leaf, err := x509.ParseCertificate(pair.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"127.0.0.1", "10.96.0.1", "kubernetes.default.svc"} {
		if _, err := leaf.Verify(x509.VerifyOptions{DNSName: name, Roots: roots}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestEveryUserHasATokenAndOnlyTheLearnersIsInAKubeconfig(t *testing.T) {
	p := made(t)
	path := filepath.Join(t.TempDir(), "kube", "config")
	if err := p.WriteKubeconfig(path, Learner); err != nil {
		t.Fatal(err)
	}
	config, err := clientcmd.BuildConfigFromFlags("", path)
	if err != nil || config.Host != "https://127.0.0.1:16443" || config.BearerToken != p.Tokens[Learner] {
		t.Fatal(config, err)
	}
	tokens, err := p.WriteTokens()
	if err != nil {
		t.Fatal(err)
	}
	text, _ := os.ReadFile(tokens)
	for _, user := range []string{System, Grader, Learner} {
		if !strings.Contains(string(text), p.Tokens[user]+","+user) {
			t.Errorf("no token of %s", user)
		}
	}
	for _, private := range []string{p.Key, p.Accounts, path, tokens} {
		if info, err := os.Stat(private); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v %v", private, info, err)
		}
	}
}
