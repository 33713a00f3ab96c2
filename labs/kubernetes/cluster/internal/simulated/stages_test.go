package simulated

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"text/template"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/kwok/pkg/apis/internalversion"
	kwokconfig "sigs.k8s.io/kwok/pkg/config"
	"sigs.k8s.io/kwok/pkg/utils/gotpl"
	"sigs.k8s.io/kwok/pkg/utils/lifecycle"
)

func TestKnownImages(t *testing.T) {
	pattern, err := knownImages([]string{"shop:v1", "nginx", "my.org/web"})
	if err != nil {
		t.Fatal(err)
	}
	if strings.ContainsAny(pattern, `'"\`) {
		t.Errorf("%s cannot stand in YAML, jq and a template", pattern)
	}
	known := regexp.MustCompile(pattern)
	for image, wanted := range map[string]bool{
		"nginx": true, "nginx:1.27": true, "nginx:latest": true, "nginx:1.27-alpine": true, "nginx:alpine-slim": true,
		"docker.io/library/nginx:1": true, "docker.io/nginx": true, "library/nginx": true, "registry.naru:5000/nginx:v2": true,
		"nginx@sha256:" + strings.Repeat("a", 64): true, "shop:v1": true, "my.org/web:v1": true,
		"ngnix": false, "nginx:latst": false, "nginx:": false, "shop": false, "shop:v9": false, "shop:v10": false, "quay.io/nginx": false,
		"myxorg/web": false, "registryxnaru:5000/nginx": false, "nginx:1 ": false,
	} {
		if known.MatchString(image) != wanted {
			t.Errorf("%q: known is %v", image, !wanted)
		}
	}
	if _, err := knownImages([]string{`a"b`}); err == nil {
		t.Error("a name with a quote is taken")
	}
	none, err := knownImages(nil)
	if err != nil || regexp.MustCompile(none).MatchString("nginx") {
		t.Errorf("an empty catalogue: %q %v", none, err)
	}
}

// loadStages reads what RunKwok writes as kwok does.
func loadStages(t *testing.T) lifecycle.Lifecycle {
	t.Helper()
	c := testConfig(t)
	if _, err := prepareKwok(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	objects, err := kwokconfig.Load(t.Context(), filepath.Join(c.Directory, "kwok.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var pods []*internalversion.Stage
	for _, stage := range kwokconfig.FilterWithType[*internalversion.Stage](objects) {
		if stage.Spec.ResourceRef.Kind == "Pod" {
			pods = append(pods, stage)
		}
	}
	if logs := kwokconfig.FilterWithType[*internalversion.ClusterLogs](objects); len(logs) != 1 {
		t.Fatalf("%d rules for logs", len(logs))
	} else if _, err := os.Stat(logs[0].Spec.Logs[0].LogsFile); err != nil {
		t.Error(err)
	}
	stages, err := lifecycle.NewLifecycle(pods)
	if err != nil {
		t.Fatal(err)
	}
	return stages
}

// play does what is next for a Pod and gives that stage's name and the status it sets.
func play(t *testing.T, stages lifecycle.Lifecycle, pod *corev1.Pod) (string, corev1.PodStatus) {
	t.Helper()
	all, err := stages.ListAllPossible(context.Background(), &lifecycle.Event{Labels: pod.Labels, Annotations: pod.Annotations, Data: pod})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) == 0 {
		return "", corev1.PodStatus{}
	}
	if len(all) > 1 {
		t.Fatalf("both %s and %s are next", all[0].Name(), all[1].Name())
	}
	renderer := gotpl.NewRenderer(template.FuncMap{"NodeIPWith": func(string) string { return "10.0.0.11" }})
	var object corev1.Pod
	_, err = all[0].DoSteps(0, nil, pod, renderer,
		func(*internalversion.StageEvent) error { return nil }, func() error { return nil },
		func(patch *lifecycle.Patch) error { return json.Unmarshal(patch.Data, &object) },
		func(*lifecycle.Apply) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	return all[0].Name(), object.Status
}

func simulatedPod(images ...string) *corev1.Pod {
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "new", Namespace: "default", UID: "0aff12cd-0000-4000-8000-000000000000"},
		Spec:       corev1.PodSpec{NodeName: "worker-1"},
		Status:     corev1.PodStatus{Phase: corev1.PodPending},
	}
	for i, image := range images {
		pod.Spec.Containers = append(pod.Spec.Containers, corev1.Container{Name: string(rune('a' + i)), Image: image})
	}
	return pod
}

func conditionsOf(status corev1.PodStatus) map[corev1.PodConditionType]corev1.ConditionStatus {
	all := map[corev1.PodConditionType]corev1.ConditionStatus{}
	for _, one := range status.Conditions {
		all[one.Type] = one.Status
	}
	return all
}

func states(all []corev1.ContainerStatus) string {
	var words []string
	for _, one := range all {
		switch {
		case one.State.Running != nil:
			words = append(words, "running")
		case one.State.Terminated != nil:
			words = append(words, "done")
		case one.State.Waiting != nil:
			words = append(words, one.State.Waiting.Reason)
		}
	}
	return strings.Join(words, " ")
}

func TestAPodRuns(t *testing.T) {
	stages := loadStages(t)
	pod := simulatedPod("shop:v1", "nginx:1.27")
	pod.Spec.InitContainers = []corev1.Container{
		{Name: "i", Image: "nginx"}, {Name: "s", Image: "nginx", RestartPolicy: ptr.To(corev1.ContainerRestartPolicyAlways)},
	}
	name, status := play(t, stages, pod)
	conditions := conditionsOf(status)
	if name != "pod-ready" || status.Phase != corev1.PodRunning || states(status.ContainerStatuses) != "running running" ||
		states(status.InitContainerStatuses) != "done running" || conditions[corev1.PodReady] != "True" || conditions[corev1.PodInitialized] != "True" {
		t.Errorf("%s: %+v", name, status)
	}
	if _, told := conditions[corev1.PodScheduled]; told {
		t.Error("what the scheduler says is overwritten")
	}
	// 0x0a, and 0xff12 % 254 + 1
	if status.PodIP != "10.244.10.21" || status.HostIP != "10.0.0.11" || status.StartTime == nil {
		t.Errorf("at %s on %s since %v", status.PodIP, status.HostIP, status.StartTime)
	}
	pod.Status = status
	if name, _ := play(t, stages, pod); name != "" {
		t.Errorf("then: %s", name)
	}
}

func TestAPodOfAJobEnds(t *testing.T) {
	stages := loadStages(t)
	pod := simulatedPod("nginx")
	pod.OwnerReferences = []metav1.OwnerReference{{Kind: "Job", Name: "j"}}
	_, pod.Status = play(t, stages, pod)
	name, status := play(t, stages, pod)
	if name != "pod-complete" || status.Phase != corev1.PodSucceeded || states(status.ContainerStatuses) != "done" {
		t.Errorf("%s: %+v", name, status)
	}
	pod.Status = status
	if name, _ := play(t, stages, pod); name != "" {
		t.Errorf("then: %s", name)
	}
}

func TestAnUnknownImageIsNotPulled(t *testing.T) {
	stages := loadStages(t)
	pod := simulatedPod("nginx", "team/shop")
	for _, step := range []struct{ stage, states, message string }{
		{"pod-pull-fails", "running ErrImagePull", `rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/team/shop:latest": ` +
			`failed to resolve reference "docker.io/team/shop:latest": docker.io/team/shop:latest: not found`},
		{"pod-pull-backs-off", "running ImagePullBackOff", `Back-off pulling image "team/shop": ErrImagePull: rpc error: code = NotFound desc = ` +
			`failed to pull and unpack image "docker.io/team/shop:latest": failed to resolve reference "docker.io/team/shop:latest": ` +
			`docker.io/team/shop:latest: not found`},
	} {
		name, status := play(t, stages, pod)
		if name != step.stage || status.Phase != corev1.PodPending || states(status.ContainerStatuses) != step.states ||
			conditionsOf(status)[corev1.PodReady] != "False" || status.ContainerStatuses[1].State.Waiting.Message != step.message {
			t.Errorf("%s: %+v", name, status)
		}
		pod.Status = status
	}
	if name, _ := play(t, stages, pod); name != "" {
		t.Errorf("then: %s", name)
	}
	pod.Spec.Containers[1].Image = "shop:v1"
	if name, status := play(t, stages, pod); name != "pod-ready" || states(status.ContainerStatuses) != "running running" {
		t.Errorf("mended: %s %+v", name, status)
	}
}

func TestAnUnknownInitImageHoldsTheRest(t *testing.T) {
	stages := loadStages(t)
	pod := simulatedPod("nginx")
	pod.Spec.InitContainers = []corev1.Container{{Name: "i", Image: "nginx"}, {Name: "x", Image: "shop:v9"}, {Name: "k", Image: "nginx"}}
	name, status := play(t, stages, pod)
	if name != "pod-pull-fails" || states(status.InitContainerStatuses) != "done ErrImagePull PodInitializing" ||
		states(status.ContainerStatuses) != "PodInitializing" || conditionsOf(status)[corev1.PodInitialized] != "False" {
		t.Errorf("%s: %+v", name, status)
	}
	pod.Status = status
	if name, _ := play(t, stages, pod); name != "pod-pull-backs-off" {
		t.Errorf("then: %s", name)
	}
}

func TestAPodIsReadyAgainWhenItsNodeIs(t *testing.T) {
	stages := loadStages(t)
	pod := simulatedPod("nginx")
	_, pod.Status = play(t, stages, pod)
	ready := slices.IndexFunc(pod.Status.Conditions, func(one corev1.PodCondition) bool { return one.Type == corev1.PodReady })
	pod.Status.Conditions[ready].Status = corev1.ConditionFalse
	name, status := play(t, stages, pod)
	if name != "pod-ready-again" || conditionsOf(status)[corev1.PodReady] != "True" {
		t.Errorf("%s: %+v", name, status)
	}
	pod.DeletionTimestamp = ptr.To(metav1.Now())
	if name, _ := play(t, stages, pod); name != "pod-delete" {
		t.Errorf("deleted: %s", name)
	}
}
