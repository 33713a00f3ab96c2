cat > duo.yaml <<'YAML'
apiVersion: v1
kind: Pod
metadata:
  name: duo
spec:
  containers:
    - name: web
      image: shop:v1
      livenessProbe: {httpGet: {path: /healthz, port: 8080}, periodSeconds: 1}
      readinessProbe: {httpGet: {path: /healthz, port: 8080}, periodSeconds: 1}
      resources:
        requests: {cpu: 50m, memory: 32Mi}
    - name: helper
      image: busybox:1.37
      command: ["sh", "-c", "while true; do wget -qO- http://localhost:8080/version; sleep 2; done"]
YAML
kubectl apply -f duo.yaml
kubectl wait --for=condition=Ready pod/duo --timeout=90s
kubectl exec duo -c helper -- wget -qO- http://localhost:8080/crash
sleep 3
kubectl wait --for=condition=Ready pod/duo --timeout=60s
