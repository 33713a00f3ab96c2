package facts

import (
	"reflect"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"
)

func waiting(reason string) corev1.ContainerStatus {
	return corev1.ContainerStatus{State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason}}}
}

func ended(reason string, code int32) corev1.ContainerStatus {
	return corev1.ContainerStatus{State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{Reason: reason, ExitCode: code}}}
}

func TestPodReasonIsWhatKubectlShows(t *testing.T) {
	cases := map[string]struct {
		status corev1.PodStatus
		want   string
	}{
		"fine":              {corev1.PodStatus{Phase: corev1.PodRunning}, ""},
		"evicted":           {corev1.PodStatus{Reason: "Evicted", ContainerStatuses: []corev1.ContainerStatus{ended("Error", 1)}}, "Evicted"},
		"image":             {corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{{}, waiting("ImagePullBackOff")}}, "ImagePullBackOff"},
		"init":              {corev1.PodStatus{InitContainerStatuses: []corev1.ContainerStatus{waiting("CrashLoopBackOff")}, ContainerStatuses: []corev1.ContainerStatus{waiting("PodInitializing")}}, "CrashLoopBackOff"},
		"failed":            {corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{ended("OOMKilled", 137)}}, "OOMKilled"},
		"ended well":        {corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{ended("Completed", 0)}}, ""},
		"no node is enough": {corev1.PodStatus{Conditions: []corev1.PodCondition{{Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: "Unschedulable"}}}, "Unschedulable"},
	}
	for name, c := range cases {
		if got := podReason(&corev1.Pod{Status: c.status}); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func meta1(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: "default", Name: name, Generation: 2}
}

func template(image string) corev1.PodTemplateSpec {
	return corev1.PodTemplateSpec{Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "c", Image: image}}}}
}

func TestFoldsOfWorkloads(t *testing.T) {
	owned := meta1("shop-1")
	owned.Annotations = map[string]string{revisionAnnotation: "3"}
	owned.OwnerReferences = []metav1.OwnerReference{{Kind: "Deployment", Name: "shop", Controller: ptr.To(true)}}
	cases := map[string]struct {
		fold   func(metav1.Object) (words, any)
		object metav1.Object
		words  words
		shown  any
	}{
		"deployment": {
			foldDeployment,
			&appsv1.Deployment{
				ObjectMeta: meta1("shop"), Spec: appsv1.DeploymentSpec{Replicas: ptr.To[int32](3), Template: template("shop:v2")},
				Status: appsv1.DeploymentStatus{ReadyReplicas: 2, UpdatedReplicas: 1, AvailableReplicas: 2},
			},
			words{"generation": "2", "desired": "3", "ready": "2", "updated": "1", "available": "2", "images": "shop:v2"},
			Deployment{Namespace: "default", Name: "shop", Desired: 3, Ready: 2, Updated: 1, Available: 2, Images: []string{"shop:v2"}},
		},
		"replicaset": {
			foldReplicaSet,
			&appsv1.ReplicaSet{ObjectMeta: owned, Spec: appsv1.ReplicaSetSpec{Replicas: ptr.To[int32](0), Template: template("shop:v1")}},
			words{"owner": "Deployment/shop", "desired": "0", "replicas": "0", "revision": "3"},
			ReplicaSet{Namespace: "default", Name: "shop-1", Owner: "shop", Images: []string{"shop:v1"}, Revision: "3"},
		},
		"statefulset": {
			foldStatefulSet,
			&appsv1.StatefulSet{ObjectMeta: meta1("db"), Spec: appsv1.StatefulSetSpec{Template: template("redis")}, Status: appsv1.StatefulSetStatus{ReadyReplicas: 1}},
			words{"desired": "1", "ready": "1"},
			Workload{Kind: "StatefulSet", Namespace: "default", Name: "db", Desired: 1, Ready: 1},
		},
		"daemonset": {
			foldDaemonSet,
			&appsv1.DaemonSet{ObjectMeta: meta1("log"), Status: appsv1.DaemonSetStatus{DesiredNumberScheduled: 3, NumberReady: 2}},
			words{"desired": "3", "ready": "2"},
			Workload{Kind: "DaemonSet", Namespace: "default", Name: "log", Desired: 3, Ready: 2},
		},
		"job": {
			foldJob,
			&batchv1.Job{ObjectMeta: meta1("once"), Status: batchv1.JobStatus{Failed: 4, Conditions: []batchv1.JobCondition{
				{Type: batchv1.JobFailed, Status: corev1.ConditionTrue, Reason: "BackoffLimitExceeded"},
			}}},
			words{"failed": "4", "ended": "Failed", "reason": "BackoffLimitExceeded"},
			Workload{Kind: "Job", Namespace: "default", Name: "once", Desired: 1},
		},
		"cronjob": {
			foldCronJob,
			&batchv1.CronJob{ObjectMeta: meta1("nightly"), Spec: batchv1.CronJobSpec{Schedule: "0 0 * * *", Suspend: ptr.To(true)}},
			words{"schedule": "0 0 * * *", "suspended": "true"},
			Workload{Kind: "CronJob", Namespace: "default", Name: "nightly"},
		},
		"autoscaler": {
			foldAutoscaler,
			&autoscalingv2.HorizontalPodAutoscaler{
				ObjectMeta: meta1("shop"),
				Spec:       autoscalingv2.HorizontalPodAutoscalerSpec{ScaleTargetRef: autoscalingv2.CrossVersionObjectReference{Kind: "Deployment", Name: "shop"}, MaxReplicas: 6},
				Status:     autoscalingv2.HorizontalPodAutoscalerStatus{CurrentReplicas: 2, DesiredReplicas: 4},
			},
			words{"target": "Deployment/shop", "min": "1", "max": "6", "current": "2", "desired": "4"},
			Autoscaler{Namespace: "default", Name: "shop", Target: Owner{"Deployment", "shop"}, Min: 1, Max: 6, Current: 2, Desired: 4},
		},
		"service": {
			foldService,
			&corev1.Service{ObjectMeta: meta1("shop"), Spec: corev1.ServiceSpec{
				Type: corev1.ServiceTypeNodePort, ClusterIP: "10.96.0.7", Selector: map[string]string{"app": "shop"},
				Ports: []corev1.ServicePort{{Port: 80, TargetPort: intstr.FromString("web"), NodePort: 30080}},
			}},
			words{"type": "NodePort", "ports": "80:web", "selector": "app=shop"},
			Service{
				Namespace: "default", Name: "shop", Type: "NodePort", ClusterIP: "10.96.0.7", Selector: map[string]string{"app": "shop"},
				Ports: []Port{{80, "web", 30080}}, Endpoints: []Endpoint{},
			},
		},
		"claim": {
			foldClaim,
			&corev1.PersistentVolumeClaim{ObjectMeta: meta1("data"), Status: corev1.PersistentVolumeClaimStatus{Phase: corev1.ClaimPending}},
			words{"phase": "Pending"}, nil,
		},
		"node": {
			foldNode,
			&corev1.Node{
				ObjectMeta: metav1.ObjectMeta{Name: "worker-1", Annotations: map[string]string{simulatedAnnotation: "fake", powerAnnotation: "off"}, Labels: map[string]string{"b": "2", "a": "1"}},
				Spec:       corev1.NodeSpec{Unschedulable: true, Taints: []corev1.Taint{{Key: "k", Value: "v", Effect: corev1.TaintEffectNoSchedule}}},
				Status:     corev1.NodeStatus{Conditions: []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionUnknown, Reason: "NodeStatusUnknown"}}},
			},
			words{"ready": "false", "schedulable": "false", "reason": "NodeStatusUnknown", "labels": "a=1,b=2", "taints": "k=v:NoSchedule", "power": "off"},
			Node{Name: "worker-1", Simulated: true, Reason: "NodeStatusUnknown"},
		},
	}
	for name, c := range cases {
		got, shown := c.fold(c.object)
		for word, want := range c.words {
			if got[word] != want {
				t.Errorf("%s: %s is %q, want %q", name, word, got[word], want)
			}
		}
		if !reflect.DeepEqual(shown, c.shown) {
			t.Errorf("%s: shown %+v, want %+v", name, shown, c.shown)
		}
	}
}

func TestFoldEndpointSliceTellsWhoAnswers(t *testing.T) {
	one := &discoveryv1.EndpointSlice{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "shop-x", Labels: map[string]string{discoveryv1.LabelServiceName: "shop"}},
		Endpoints: []discoveryv1.Endpoint{
			{Addresses: []string{"10.244.0.2"}, Conditions: discoveryv1.EndpointConditions{Ready: ptr.To(true)}, TargetRef: &corev1.ObjectReference{Kind: "Pod", Name: "b"}},
			{Addresses: []string{"10.244.0.1"}, Conditions: discoveryv1.EndpointConditions{Ready: ptr.To(false)}, TargetRef: &corev1.ObjectReference{Kind: "Pod", Name: "a"}},
		},
	}
	got, shown := foldEndpointSlice(one)
	if got["service"] != "shop" || got["endpoints"] != "2" || got["ready"] != "1" || got["addresses"] != "10.244.0.2" {
		t.Errorf("%v", got)
	}
	want := slice{service: "default/shop", points: []Endpoint{{"b", "10.244.0.2", true}, {"a", "10.244.0.1", false}}}
	if !reflect.DeepEqual(shown, want) {
		t.Errorf("%+v", shown)
	}
}

func TestKindOfPlurals(t *testing.T) {
	for plural, want := range map[string]string{
		"pods": "Pod", "services": "Service", "ingresses": "Ingress", "networkpolicies": "NetworkPolicy", "endpoints": "Endpoints", "cakes": "Cake", "s": "",
	} {
		if got := kindOf(plural); got != want {
			t.Errorf("%s: %q, want %q", plural, got, want)
		}
	}
}
