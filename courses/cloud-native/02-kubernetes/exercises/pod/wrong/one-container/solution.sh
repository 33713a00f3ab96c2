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
        limits: {memory: 64Mi}
YAML
kubectl apply -f duo.yaml
kubectl wait --for=condition=Ready pod/duo --timeout=90s
kubectl port-forward pod/duo 8080:8080 &
sleep 2; curl -s http://127.0.0.1:8080/crash; sleep 2; kill %1
