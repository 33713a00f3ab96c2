"""What kubectl, events and a Pod's status say when something is wrong, as Kubernetes 1.36 words it."""

# ruff: noqa: E501 - messages stand in one piece, as they are printed
from __future__ import annotations

import pytest

from lessons.explainer import Explainer, read_entries

PATCH = 'The request is invalid: patch: Invalid value: "map[spec:map[replica:2 replicas:<nil>]]": '
BAD_POD = (
    'Error from server (BadRequest): error when creating "pod.yaml": Pod in version "v1" cannot be handled as a Pod: '
)
RFC = "must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character"
WAIT = "Warning  FailedScheduling  1s  default-scheduler  0/3 nodes are available: "
SAMPLES = [
    (
        'The Deployment "shop" is invalid: spec.template.metadata.labels: Invalid value: {"app":"sho"}: `selector` does '
        "not match template `labels`",
        "selector-template",
    ),
    (
        '* spec.selector: Invalid value: {"matchLabels":{"app":"other"}}: field is immutable',
        "field-immutable",
    ),
    (
        'The Pod "big" is invalid: spec: Forbidden: pod updates may not change fields other than '
        "`spec.containers[*].image`,`spec.activeDeadlineSeconds`",
        "pod-immutable",
    ),
    (PATCH + 'strict decoding error: unknown field "spec.replica"', "strict-unknown-field"),
    (
        'Error from server (BadRequest): error when creating "d.yaml": Deployment in version "v1" cannot be handled as a '
        'Deployment: strict decoding error: unknown field "spec.template.spec.conainers"',
        "strict-unknown-field",
    ),
    ('error: error parsing d.yaml: yaml: unmarshal errors: line 9: key "image" already set in map', "duplicate-field"),
    (
        'Error from server (BadRequest): strict decoding error: duplicate field "spec.replicas"',
        "duplicate-field",
    ),
    (
        BAD_POD + "json: cannot unmarshal string into Go struct field ContainerPort.containerPort of type int32",
        "wrong-type",
    ),
    (PATCH + "unrecognized type: int32", "wrong-type"),
    (
        BAD_POD + "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
        "quantity",
    ),
    (
        'The Pod "a" is invalid: spec.containers[0].resources.requests: Invalid value: "2Gi": must be less than or equal '
        "to memory limit of 1Gi",
        "request-over-limit",
    ),
    (
        'The Service "s1" is invalid: spec.ports[0].nodePort: Invalid value: 80: provided port is not in the valid range. '
        "The range of valid ports is 30000-32767",
        "node-port-range",
    ),
    (
        'The Service "s2" is invalid: spec.ports[0].nodePort: Invalid value: 30080: provided port is already allocated',
        "node-port-taken",
    ),
    (
        f'The Deployment "Shop_1" is invalid: metadata.name: Invalid value: "Shop_1": a lowercase RFC 1123 subdomain {RFC}',
        "bad-name",
    ),
    ('The Pod "a" is invalid: spec.containers: Required value', "required-value"),
    (
        'The Deployment "shop" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0',
        "invalid-value",
    ),
    (
        'error: resource mapping not found for name: "shop" namespace: "" from "d.yaml": no matches for kind "Deployment" '
        'in version "v1"',
        "no-kind",
    ),
    ('error: the server doesn\'t have a resource type "foo"', "no-resource-type"),
    (
        "error: error parsing a.yaml: error converting YAML to JSON: yaml: line 4: found character that cannot start any token",
        "yaml-tab",
    ),
    (
        "error: error parsing a.yaml: error converting YAML to JSON: yaml: line 5: mapping values are not allowed in this "
        "context",
        "yaml-syntax",
    ),
    ('error: error validating "a.yaml": error validating data: apiVersion not set; if you choose to ignore', "not-set"),
    ('error: the path "nothere.yaml" does not exist', "no-such-file"),
    (
        'Error from server (AlreadyExists): error when creating "d.yaml": deployments.apps "shop" already exists',
        "already-exists",
    ),
    ('Error from server (NotFound): deployments.apps "nope" not found', "not-found"),
    ('error: error from server (NotFound): pods "nope" not found in namespace "default"', "not-found"),
    ('error: unable to find container named "web"', "no-container-named"),
    ("error: container web is not valid for pod shop-78999b9646-9qtfh", "no-container-named"),
    ("error: unable to find specified revision 9 in history", "no-revision"),
    ("error: couldn't find port via --port flag or introspection", "expose-port"),
    ("error: --image is required", "image-required"),
    ("error: --max=MAXPODS must be larger or equal to --min=MINPODS, max: 1, min: 3", "min-over-max"),
    ("error: must specify one of -f and -k", "file-needed"),
    ('error: unknown command "aply" for "kubectl"', "kubectl-unknown-command"),
    ("error: at least one taint update is required", "bad-label"),
    (
        "The connection to the server 127.0.0.1:6443 was refused - did you specify the right host or port?",
        "api-refused",
    ),
    ("error: metrics not available yet", "metrics-missing"),
    (
        "Warning  FailedGetResourceMetric  2s  horizontal-pod-autoscaler  failed to get cpu utilization: missing request "
        "for cpu in container shop of Pod shop-1",
        "metrics-missing",
    ),
    (WAIT + "3 node(s) had untolerated taint {team: gpu}.", "untolerated-taint"),
    (WAIT + "3 node(s) had untolerated taint(s).", "untolerated-taint"),
    (WAIT + "3 node(s) didn't match Pod's node affinity/selector.", "no-node-matches"),
    (WAIT + "3 Insufficient memory. no new claims to deallocate", "insufficient"),
    (WAIT + "3 node(s) were unschedulable.", "no-node-fits"),
    ("shop-5c9b7d8f6-x2x5k   0/1     ImagePullBackOff   0          12s", "image-pull"),
    ('Warning  Failed  2s  kubelet  Failed to pull image "shop:v9": rpc error: not found', "image-pull"),
    ("shop-5c9b7d8f6-x2x5k   0/1     ErrImageNeverPull   0          12s", "image-never"),
    ("shop-5c9b7d8f6-x2x5k   0/1     InvalidImageName   0          12s", "invalid-image"),
    ("shop-5c9b7d8f6-x2x5k   0/1     CrashLoopBackOff   3 (5s ago)   40s", "crash-loop"),
    ("Warning  BackOff  1s  kubelet  Back-off restarting failed container shop in pod shop-5c9b", "crash-loop"),
    ('Warning  Failed  1s  kubelet  Error: configmap "shop-config" not found', "config-missing"),
    ("Warning  Failed  1s  kubelet  Error: couldn't find key GREETING in ConfigMap default/shop", "config-key-missing"),
    ("shop-5c9b7d8f6-x2x5k   0/1     CreateContainerConfigError   0          12s", "create-config-error"),
    ("shop-5c9b7d8f6-x2x5k   0/1     RunContainerError   1 (2s ago)   12s", "run-error"),
    ("Warning  Unhealthy  1s  kubelet  Readiness probe failed: HTTP probe failed with statuscode: 500", "probe-failed"),
    ('Warning  FailedMount  1s  kubelet  MountVolume.SetUp failed for volume "web" : timed out', "mount-failed"),
    ("Endpoints:                <none>", "endpoints-none"),
    ("Endpoints:                ", "endpoints-none"),
    ("shop   Deployment/shop   cpu: <unknown>/50%   2         6         2          10s", "hpa-unknown"),
    ('error: deployment "shop" exceeded its progress deadline', "progress-deadline"),
    ("error: timed out waiting for the condition on deployments/shop", "progress-deadline"),
    (
        'Error from server (BadRequest): previous terminated container "shop" in pod "shop-1" not found',
        "previous-missing",
    ),
    (
        'Error from server (BadRequest): container "shop" in pod "shop-1" is waiting to start: trying and failing to pull '
        "image",
        "container-waiting",
    ),
    (
        'Error from server (Forbidden): pods "shop-1" is forbidden: exceeded quota: small, requested: pods=1',
        "forbidden-quota",
    ),
    ("Error from server: etcdserver: mvcc: database space exceeded", "store-full"),
    (
        'Error from server (Conflict): Operation cannot be fulfilled on deployments.apps "shop": the object has been '
        "modified; please apply your changes to the latest version and try again",
        "conflict-modified",
    ),
    ("curl: (7) Failed to connect to shop port 80 after 1 ms: Could not connect to server", "service-refused"),
    ("curl: (6) Could not resolve host: shopp", "name-unknown"),
    ("wget: bad address 'shopp'", "name-unknown"),
]


@pytest.mark.parametrize(("line", "wanted"), SAMPLES)
def test_known_messages_are_explained(line, wanted):
    found = Explainer().feed(f"{line}\r\n".encode(), 0.0)
    assert found is not None
    assert found.id == wanted
    texts = " ".join((found.title, found.cause, found.show, found.next))
    assert "``" not in texts
    assert "{" not in found.cause.replace("{.", "")


def test_thirty_and_more_messages_are_known_and_every_one_is_met_by_a_sample():
    wanted = {wanted for _line, wanted in SAMPLES}
    assert len(wanted) >= 30
    assert wanted <= {entry.id for entry in read_entries()}


@pytest.mark.parametrize(
    "line",
    [
        "NAME                    READY   STATUS    RESTARTS   AGE",
        "shop-78999b9646-9qtfh   1/1     Running   0          3s",
        "shop-78999b9646-9qtfh   0/1     Pending   0          0s",
        "deployment.apps/shop created",
        'pod "shop-78999b9646-9qtfh" deleted from default namespace',
        "Endpoints:                10.88.0.4:8080,10.88.0.5:8080",
        "shop   Deployment/shop   cpu: 20%/50%   2         6         2          10s",
        "kubernetes   ClusterIP   10.96.0.1    <none>        443/TCP   5m",
        'Waiting for deployment "shop" rollout to finish: 1 out of 2 new replicas have been updated...',
        "No resources found in default namespace.",
    ],
)
def test_everyday_output_is_left_alone(line):
    assert Explainer().feed(f"{line}\r\n".encode(), 0.0) is None
