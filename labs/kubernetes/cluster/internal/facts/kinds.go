package facts

import (
	"sort"
	"strconv"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

const (
	ownPrefix           = "naru.dev/"
	revisionAnnotation  = "deployment.kubernetes.io/revision"
	simulatedAnnotation = "kwok.x-k8s.io/node"
	versionWord         = "_version" // compared like the other words, never shown
)

type words = map[string]string

func foldPod(object metav1.Object) (words, any) {
	pod, ok := object.(*corev1.Pod)
	if !ok {
		return nil, nil
	}
	shown := Pod{
		Namespace: pod.Namespace, Name: pod.Name, Node: pod.Spec.NodeName, Phase: string(pod.Status.Phase),
		Reason: podReason(pod), Owner: ownerOf(pod), Labels: fewLabels(pod.Labels), IP: pod.Status.PodIP,
		Images: imagesOf(pod.Spec.Containers), Deleting: pod.DeletionTimestamp != nil,
	}
	for _, condition := range pod.Status.Conditions {
		if condition.Type == corev1.PodReady {
			shown.Ready = condition.Status == corev1.ConditionTrue
		}
	}
	for _, status := range pod.Status.ContainerStatuses {
		shown.Restarts += int(status.RestartCount)
	}
	said := words{
		"phase": shown.Phase, "ready": strconv.FormatBool(shown.Ready), "restarts": strconv.Itoa(shown.Restarts),
		"reason": shown.Reason, "node": shown.Node, "images": strings.Join(shown.Images, ","),
	}
	if shown.Owner != nil {
		said["owner"] = shown.Owner.Kind + "/" + shown.Owner.Name
	}
	if shown.Deleting {
		said["deleting"] = "true"
	}
	return said, shown
}

// podReason is the word that `kubectl get pods` would show instead of the phase: why a Pod does not run as it should.
func podReason(pod *corev1.Pod) string {
	if pod.Status.Reason != "" {
		return pod.Status.Reason
	}
	for _, statuses := range [][]corev1.ContainerStatus{pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses} {
		for _, status := range statuses {
			if waiting := status.State.Waiting; waiting != nil && waiting.Reason != "" {
				return waiting.Reason
			}
			if ended := status.State.Terminated; ended != nil && ended.Reason != "" && ended.ExitCode != 0 {
				return ended.Reason
			}
		}
	}
	for _, condition := range pod.Status.Conditions {
		if condition.Type == corev1.PodScheduled && condition.Status == corev1.ConditionFalse {
			return condition.Reason
		}
	}
	return ""
}

func trimPod(object any) {
	if pod, ok := object.(*corev1.Pod); ok {
		pod.Spec = corev1.PodSpec{NodeName: pod.Spec.NodeName, Containers: bareContainers(pod.Spec.Containers)}
		pod.Status.Message, pod.Status.HostIPs, pod.Status.PodIPs = "", nil, nil
	}
}

func bareContainers(containers []corev1.Container) []corev1.Container {
	bare := make([]corev1.Container, len(containers))
	for i, container := range containers {
		bare[i] = corev1.Container{Name: container.Name, Image: container.Image}
	}
	return bare
}

func bareTemplate(template corev1.PodTemplateSpec) corev1.PodTemplateSpec {
	return corev1.PodTemplateSpec{Spec: corev1.PodSpec{Containers: bareContainers(template.Spec.Containers)}}
}

func foldDeployment(object metav1.Object) (words, any) {
	one, ok := object.(*appsv1.Deployment)
	if !ok {
		return nil, nil
	}
	shown := Deployment{
		Namespace: one.Namespace, Name: one.Name, Desired: int(ptr.Deref(one.Spec.Replicas, 1)), Ready: int(one.Status.ReadyReplicas),
		Updated: int(one.Status.UpdatedReplicas), Available: int(one.Status.AvailableReplicas), Images: imagesOf(one.Spec.Template.Spec.Containers),
	}
	return words{
		"generation": number(one.Generation), "desired": number(shown.Desired), "ready": number(shown.Ready), "updated": number(shown.Updated),
		"available": number(shown.Available), "images": strings.Join(shown.Images, ","), "revision": one.Annotations[revisionAnnotation],
		"paused": trueOnly(one.Spec.Paused), "demand": one.Annotations[demandAnnotation],
	}, shown
}

func foldReplicaSet(object metav1.Object) (words, any) {
	one, ok := object.(*appsv1.ReplicaSet)
	if !ok {
		return nil, nil
	}
	shown := ReplicaSet{
		Namespace: one.Namespace, Name: one.Name, Desired: int(ptr.Deref(one.Spec.Replicas, 1)), Ready: int(one.Status.ReadyReplicas),
		Images: imagesOf(one.Spec.Template.Spec.Containers), Revision: one.Annotations[revisionAnnotation], present: int(one.Status.Replicas),
	}
	said := words{
		"generation": number(one.Generation), "desired": number(shown.Desired), "replicas": number(shown.present), "ready": number(shown.Ready),
		"images": strings.Join(shown.Images, ","), "revision": shown.Revision,
	}
	if owner := ownerOf(one); owner != nil {
		shown.Owner = owner.Name
		said["owner"] = owner.Kind + "/" + owner.Name
	}
	return said, shown
}

func foldStatefulSet(object metav1.Object) (words, any) {
	one, ok := object.(*appsv1.StatefulSet)
	if !ok {
		return nil, nil
	}
	return foldWorkload("StatefulSet", one, int(ptr.Deref(one.Spec.Replicas, 1)), int(one.Status.ReadyReplicas), words{
		"updated": number(one.Status.UpdatedReplicas), "images": strings.Join(imagesOf(one.Spec.Template.Spec.Containers), ","),
	})
}

func foldDaemonSet(object metav1.Object) (words, any) {
	one, ok := object.(*appsv1.DaemonSet)
	if !ok {
		return nil, nil
	}
	return foldWorkload("DaemonSet", one, int(one.Status.DesiredNumberScheduled), int(one.Status.NumberReady), words{
		"updated": number(one.Status.UpdatedNumberScheduled), "images": strings.Join(imagesOf(one.Spec.Template.Spec.Containers), ","),
	})
}

func foldJob(object metav1.Object) (words, any) {
	one, ok := object.(*batchv1.Job)
	if !ok {
		return nil, nil
	}
	said := words{
		"active": number(one.Status.Active), "failed": number(one.Status.Failed), "succeeded": number(one.Status.Succeeded),
		"images": strings.Join(imagesOf(one.Spec.Template.Spec.Containers), ","),
	}
	for _, condition := range one.Status.Conditions {
		if condition.Status == corev1.ConditionTrue && (condition.Type == batchv1.JobComplete || condition.Type == batchv1.JobFailed) {
			said["ended"] = string(condition.Type)
			said["reason"] = condition.Reason
		}
	}
	return foldWorkload("Job", one, int(ptr.Deref(one.Spec.Completions, 1)), int(one.Status.Succeeded), said)
}

func foldCronJob(object metav1.Object) (words, any) {
	one, ok := object.(*batchv1.CronJob)
	if !ok {
		return nil, nil
	}
	active := len(one.Status.Active)
	return foldWorkload("CronJob", one, active, active, words{"schedule": one.Spec.Schedule, "suspended": trueOnly(ptr.Deref(one.Spec.Suspend, false))})
}

func foldWorkload(kind string, object metav1.Object, desired, ready int, said words) (words, any) {
	said["generation"], said["desired"], said["ready"] = number(object.GetGeneration()), number(desired), number(ready)
	return said, Workload{Kind: kind, Namespace: object.GetNamespace(), Name: object.GetName(), Desired: desired, Ready: ready}
}

func foldAutoscaler(object metav1.Object) (words, any) {
	one, ok := object.(*autoscalingv2.HorizontalPodAutoscaler)
	if !ok {
		return nil, nil
	}
	shown := Autoscaler{
		Namespace: one.Namespace, Name: one.Name, Target: Owner{Kind: one.Spec.ScaleTargetRef.Kind, Name: one.Spec.ScaleTargetRef.Name},
		Min: int(ptr.Deref(one.Spec.MinReplicas, 1)), Max: int(one.Spec.MaxReplicas),
		Current: int(one.Status.CurrentReplicas), Desired: int(one.Status.DesiredReplicas),
	}
	return words{
		"target": shown.Target.Kind + "/" + shown.Target.Name, "min": number(shown.Min), "max": number(shown.Max),
		"current": number(shown.Current), "desired": number(shown.Desired),
	}, shown
}

func foldService(object metav1.Object) (words, any) {
	one, ok := object.(*corev1.Service)
	if !ok {
		return nil, nil
	}
	shown := Service{
		Namespace: one.Namespace, Name: one.Name, Type: string(one.Spec.Type), ClusterIP: one.Spec.ClusterIP,
		Selector: fewLabels(one.Spec.Selector), Ports: []Port{}, Endpoints: []Endpoint{},
	}
	var ports []string
	for _, port := range one.Spec.Ports {
		if len(shown.Ports) == mostPorts {
			break
		}
		shown.Ports = append(shown.Ports, Port{Port: int(port.Port), Target: port.TargetPort.String(), NodePort: int(port.NodePort)})
		ports = append(ports, number(port.Port)+":"+port.TargetPort.String())
	}
	return words{
		"type": shown.Type, "cluster_ip": shown.ClusterIP, "ports": strings.Join(ports, ","), "selector": labelText(one.Spec.Selector),
	}, shown
}

func foldEndpointSlice(object metav1.Object) (words, any) {
	one, ok := object.(*discoveryv1.EndpointSlice)
	if !ok {
		return nil, nil
	}
	shown := slice{service: one.Namespace + "/" + one.Labels[discoveryv1.LabelServiceName]}
	var up []string
	for _, endpoint := range one.Endpoints {
		point := Endpoint{Ready: ptr.Deref(endpoint.Conditions.Ready, true)}
		if len(endpoint.Addresses) > 0 {
			point.IP = endpoint.Addresses[0]
		}
		if endpoint.TargetRef != nil && endpoint.TargetRef.Kind == "Pod" {
			point.Pod = endpoint.TargetRef.Name
		}
		if point.Ready {
			up = append(up, point.IP)
		}
		if len(shown.points) < mostEndpoints {
			shown.points = append(shown.points, point)
		}
	}
	sort.Strings(up)
	return words{
		"service": one.Labels[discoveryv1.LabelServiceName], "endpoints": number(len(one.Endpoints)), "ready": number(len(up)),
		"addresses": strings.Join(up, ","),
	}, shown
}

func foldNode(object metav1.Object) (words, any) {
	one, ok := object.(*corev1.Node)
	if !ok {
		return nil, nil
	}
	shown := Node{Name: one.Name, Simulated: one.Annotations[simulatedAnnotation] == "fake", Schedulable: !one.Spec.Unschedulable}
	for _, condition := range one.Status.Conditions {
		if condition.Type == corev1.NodeReady {
			shown.Ready = condition.Status == corev1.ConditionTrue
			if !shown.Ready {
				shown.Reason = condition.Reason
			}
		}
	}
	taints := make([]string, len(one.Spec.Taints))
	for i, taint := range one.Spec.Taints {
		taints[i] = taint.ToString()
	}
	sort.Strings(taints)
	return words{
		"ready": strconv.FormatBool(shown.Ready), "schedulable": strconv.FormatBool(shown.Schedulable), "reason": shown.Reason,
		"labels": labelText(one.Labels), "taints": strings.Join(taints, ","), "power": one.Annotations[powerAnnotation],
	}, shown
}

func trimNode(object any) {
	if node, ok := object.(*corev1.Node); ok {
		node.Status = corev1.NodeStatus{Conditions: node.Status.Conditions}
	}
}

func foldClaim(object metav1.Object) (words, any) {
	one, ok := object.(*corev1.PersistentVolumeClaim)
	if !ok {
		return nil, nil
	}
	return words{"phase": string(one.Status.Phase), "volume": one.Spec.VolumeName, "deleting": trueOnly(one.DeletionTimestamp != nil)}, nil
}

// foldVersion is for kinds of which only that they changed is told: what ConfigMaps and Secrets hold stays out of the record.
func foldVersion(object metav1.Object) (words, any) {
	return words{versionWord: object.GetResourceVersion()}, nil
}

func foldEvent(object metav1.Object) (words, any) {
	one, ok := object.(*corev1.Event)
	if !ok {
		return nil, nil
	}
	count := max(int(one.Count), 1)
	if one.Series != nil {
		count = max(count, int(one.Series.Count))
	}
	return words{
		"kind": one.InvolvedObject.Kind, "namespace": one.InvolvedObject.Namespace, "name": one.InvolvedObject.Name,
		"reason": one.Reason, "message": one.Message, "count": number(count), "warning": trueOnly(one.Type == corev1.EventTypeWarning),
	}, nil
}

func ownerOf(object metav1.Object) *Owner {
	if owner := metav1.GetControllerOfNoCopy(object); owner != nil {
		return &Owner{Kind: owner.Kind, Name: owner.Name}
	}
	return nil
}

func imagesOf(containers []corev1.Container) []string {
	images := make([]string, 0, min(len(containers), mostImages))
	for _, container := range containers {
		if len(images) == mostImages {
			break
		}
		images = append(images, cut(container.Image, 120))
	}
	return images
}

// fewLabels returns at most 12 labels, by name.
func fewLabels(all map[string]string) map[string]string {
	few := make(map[string]string, min(len(all), mostLabels))
	for _, name := range sortedNames(all) {
		if len(few) == mostLabels {
			break
		}
		few[name] = all[name]
	}
	return few
}

func labelText(all map[string]string) string {
	pairs := make([]string, 0, len(all))
	for _, name := range sortedNames(all) {
		pairs = append(pairs, name+"="+all[name])
	}
	return strings.Join(pairs, ",")
}

func sortedNames(all map[string]string) []string {
	names := make([]string, 0, len(all))
	for name := range all {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

func number[N int | int32 | int64](n N) string { return strconv.FormatInt(int64(n), 10) }

func trueOnly(is bool) string {
	if is {
		return "true"
	}
	return ""
}
