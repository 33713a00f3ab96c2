// Package pki makes the certificates and tokens of one cluster: new ones at each start, good for its short life.
package pki

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

const life = 30 * 24 * time.Hour

// Users of the cluster. Components and the grader's side have tokens that no file keeps.
const (
	System  = "system:admin"
	Grader  = "naru:grader"
	Learner = "learner"
)

// PKI holds paths of files and the tokens by user.
type PKI struct {
	Directory string
	Port      int
	CA        string
	Cert      string
	Key       string
	Accounts  string // the key that signs service accounts' tokens
	Tokens    map[string]string
}

func (p *PKI) path(name string) string { return filepath.Join(p.Directory, name) }

// Server is the API server's address.
func (p *PKI) Server() string { return fmt.Sprintf("https://127.0.0.1:%d", p.Port) }

// Make writes everything into directory, which becomes 0700.
func Make(directory string, port int) (*PKI, error) {
	if err := os.MkdirAll(directory, 0o700); err != nil {
		return nil, err
	}
	p := &PKI{Directory: directory, Port: port, Tokens: map[string]string{}}
	p.CA, p.Cert, p.Key, p.Accounts = p.path("ca.crt"), p.path("server.crt"), p.path("server.key"), p.path("accounts.key")
	now := time.Now()
	caKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	ca := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "naru-lab"}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(life),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	caBytes, err := x509.CreateCertificate(rand.Reader, ca, ca, &caKey.PublicKey, caKey)
	if err != nil {
		return nil, err
	}
	if err := write(p.CA, "CERTIFICATE", caBytes); err != nil {
		return nil, err
	}
	key, err := newKey(p.Key)
	if err != nil {
		return nil, err
	}
	if _, err := newKey(p.Accounts); err != nil {
		return nil, err
	}
	server := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "front-proxy", Organization: []string{"system:masters"}},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(life),
		DNSNames:    []string{"localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv4(10, 96, 0, 1), net.IPv4(10, 0, 0, 1)},
		KeyUsage:    x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, server, ca, &key.PublicKey, caKey)
	if err != nil {
		return nil, err
	}
	if err := write(p.Cert, "CERTIFICATE", der); err != nil {
		return nil, err
	}
	for _, user := range []string{System, Grader, Learner} {
		if p.Tokens[user], err = newToken(); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// WriteTokens gives the file that the API server reads once at its start.
func (p *PKI) WriteTokens() (string, error) {
	path := p.path("tokens.csv")
	text := fmt.Sprintf("%s,%s,1,system:masters\n%s,%s,2,system:masters\n%s,%s,3,system:masters\n",
		p.Tokens[System], System, p.Tokens[Grader], Grader, p.Tokens[Learner], Learner)
	return path, os.WriteFile(path, []byte(text), 0o600)
}

// WriteKubeconfig writes one for a user at path, 0600.
func (p *PKI) WriteKubeconfig(path, user string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	text := fmt.Sprintf(`apiVersion: v1
kind: Config
clusters:
  - name: naru
    cluster: {server: "%s", certificate-authority: %s}
users:
  - name: %s
    user: {token: "%s"}
contexts:
  - name: naru
    context: {cluster: naru, user: %s}
current-context: naru
`, p.Server(), p.CA, user, p.Tokens[user], user)
	return os.WriteFile(path, []byte(text), 0o600)
}

func newKey(path string) (*ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return nil, err
	}
	return key, write(path, "EC PRIVATE KEY", der)
}

func write(path, kind string, der []byte) error {
	return os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600)
}

func newToken() (string, error) {
	random := make([]byte, 16)
	_, err := rand.Read(random)
	return hex.EncodeToString(random), err
}
