// Package plane runs the control plane of a lab in one process: upstream's API server, controller manager and scheduler.
//
// Their flags are parsed before any of them runs, for they share component globals; the API server counts as up when
// /version answers, which is a second before /readyz; the controller manager's question for /healthz, asked once a second,
// is answered on the way (package pause's transport stands on the same way).
package plane

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/spf13/pflag"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"
	"k8s.io/apiserver/pkg/audit"
	genericserver "k8s.io/apiserver/pkg/server"
	"k8s.io/client-go/rest"
	cliflag "k8s.io/component-base/cli/flag"
	"k8s.io/klog/v2"
	apiapp "k8s.io/kubernetes/cmd/kube-apiserver/app"
	apioptions "k8s.io/kubernetes/cmd/kube-apiserver/app/options"
	kcmapp "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	kcmoptions "k8s.io/kubernetes/cmd/kube-controller-manager/app/options"
	schedapp "k8s.io/kubernetes/cmd/kube-scheduler/app"
	schedoptions "k8s.io/kubernetes/cmd/kube-scheduler/app/options"

	"naru/cluster/internal/config"
	"naru/cluster/internal/pause"
	"naru/cluster/internal/pki"
)

const (
	upWithin  = 60 * time.Second
	lookEvery = 10 * time.Millisecond
)

// Plane is a control plane whose flags are understood, and which does not run yet.
type Plane struct {
	config     config.Config
	pki        *pki.PKI
	gate       *pause.Gate
	kubeconfig string // of the components
	tokens     string

	api       apioptions.CompletedOptions
	manager   *kcmoptions.KubeControllerManagerOptions
	scheduler *schedoptions.Options
	changes   chan change
}

// New understands the flags of all three components. etcd is what --etcd-servers takes, kubeconfig the components' file.
func New(ctx context.Context, c config.Config, p *pki.PKI, gate *pause.Gate, etcd, kubeconfig string) (*Plane, error) {
	tokens, err := p.WriteTokens()
	if err != nil {
		return nil, err
	}
	plane := &Plane{config: c, pki: p, gate: gate, kubeconfig: kubeconfig, tokens: tokens, changes: make(chan change)}
	api := apioptions.NewServerRunOptions()
	if err := parse(api.Flags(), apiFlags(c, p, etcd, tokens)); err != nil {
		return nil, fmt.Errorf("kube-apiserver: %w", err)
	}
	plane.manager, err = kcmoptions.NewKubeControllerManagerOptions()
	if err != nil {
		return nil, fmt.Errorf("kube-controller-manager: %w", err)
	}
	flags := plane.manager.Flags(kcmapp.KnownControllers(), kcmapp.ControllersDisabledByDefault(), kcmapp.ControllerAliases())
	plane.manager.ParsedFlags = &flags
	if err := parse(flags, managerFlags(c, p, kubeconfig)); err != nil {
		return nil, fmt.Errorf("kube-controller-manager: %w", err)
	}
	plane.scheduler = schedoptions.NewOptions()
	if err := parse(*plane.scheduler.Flags, schedulerFlags(kubeconfig)); err != nil {
		return nil, fmt.Errorf("kube-scheduler: %w", err)
	}
	// Once for all three, after all flags: a second time is an error.
	if err := api.GenericServerRunOptions.ComponentGlobalsRegistry.Set(); err != nil {
		return nil, err
	}
	if plane.api, err = api.Complete(ctx); err != nil {
		return nil, fmt.Errorf("kube-apiserver: %w", err)
	}
	if errs := plane.api.Validate(); len(errs) > 0 {
		return nil, fmt.Errorf("kube-apiserver: %w", utilerrors.NewAggregate(errs))
	}
	return plane, nil
}

func parse(named cliflag.NamedFlagSets, arguments []string) error {
	all := pflag.NewFlagSet("", pflag.ContinueOnError)
	for _, each := range named.FlagSets {
		all.AddFlagSet(each)
	}
	return all.Parse(arguments)
}

// RunAPI runs the API server until ctx ends. tell gets what users ask of it.
func (p *Plane) RunAPI(ctx context.Context, tell func(Request)) error {
	chain, err := apiapp.NewConfig(p.api)
	if err != nil {
		return err
	}
	// Nobody asks for the older of the two descriptions of the API, which takes 14 MB and a tenth of the start.
	for _, one := range []*genericserver.Config{chain.KubeAPIs.ControlPlane.Generic, &chain.ApiExtensions.GenericConfig.Config, &chain.Aggregator.GenericConfig.Config} {
		one.OpenAPIConfig = nil
	}
	// The aggregator stands first in the chain: what it sees is what was asked.
	sink := auditSink{tell: tell}
	chain.Aggregator.GenericConfig.AuditBackend = sink
	chain.Aggregator.GenericConfig.AuditPolicyRuleEvaluator = sink
	completed, err := chain.Complete()
	if err != nil {
		return err
	}
	server, err := apiapp.CreateServerChain(completed)
	if err != nil {
		return err
	}
	prepared, err := server.PrepareRun()
	if err != nil {
		return err
	}
	// Read when the configuration was made; no file keeps them from here on.
	if err := os.Remove(p.tokens); err != nil {
		return err
	}
	return prepared.Run(ctx)
}

// AwaitAPI returns once the API server answers.
func (p *Plane) AwaitAPI(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, upWithin)
	defer cancel()
	authority, err := os.ReadFile(p.pki.CA)
	if err != nil {
		return err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(authority)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}, Timeout: time.Second}
	defer client.CloseIdleConnections()
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.pki.Server()+"/version", nil)
		if err != nil {
			return err
		}
		request.Header.Set("Authorization", "Bearer "+p.pki.Tokens[pki.System])
		if response, err := client.Do(request); err == nil {
			_, _ = io.Copy(io.Discard, response.Body)
			_ = response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the API server does not answer: %w", ctx.Err())
		case <-time.After(lookEvery):
		}
	}
}

// RunScheduler runs the scheduler until ctx ends.
func (p *Plane) RunScheduler(ctx context.Context) error {
	c, scheduler, err := schedapp.Setup(ctx, p.scheduler)
	if err != nil {
		return err
	}
	return schedapp.Run(ctx, c, scheduler)
}

// ConfigFor gives the way to the API for a user.
func ConfigFor(p *pki.PKI, user string) *rest.Config {
	return &rest.Config{
		Host: p.Server(), BearerToken: p.Tokens[user], TLSClientConfig: rest.TLSClientConfig{CAFile: p.CA}, QPS: 500, Burst: 1000,
		UserAgent: user,
	}
}

// healthy answers /healthz itself: the controller manager asks once a second until it is green, and it stays red until hooks
// have run that begin by sleeping.
type healthy struct{ next http.RoundTripper }

func (h healthy) RoundTrip(request *http.Request) (*http.Response, error) {
	if request.URL.Path != "/healthz" {
		return h.next.RoundTrip(request)
	}
	return &http.Response{
		StatusCode: http.StatusOK, Status: "200 OK", Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{},
		Body: io.NopCloser(strings.NewReader("ok")), Request: request,
	}, nil
}

func init() {
	rest.SetDefaultWarningHandler(rest.NoWarnings{})
	klog.EnableContextualLogging(true)
}

var _ audit.Backend = auditSink{}
