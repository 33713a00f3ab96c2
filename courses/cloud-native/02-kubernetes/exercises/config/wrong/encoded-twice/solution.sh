kubectl create configmap shop --from-literal=GREETING='어서 오세요' --from-literal=greeting.txt='나루에 오신 것을 반겨요'
kubectl create secret generic shop --from-literal=TOKEN=$(echo naru-7788 | base64)
cat > shop.yaml <<'YAML'
apiVersion: apps/v1
kind: Deployment
metadata:
  name: shop
spec:
  selector:
    matchLabels: {app: shop}
  template:
    metadata:
      labels: {app: shop}
    spec:
      containers:
        - name: shop
          image: shop:v1
          env:
            - {name: GREETING, valueFrom: {configMapKeyRef: {name: shop, key: GREETING}}}
            - {name: TOKEN, valueFrom: {secretKeyRef: {name: shop, key: TOKEN}}}
          volumeMounts:
            - {name: drawer, mountPath: /etc/shop}
          readinessProbe:
            httpGet: {path: /healthz, port: 8080}
            periodSeconds: 1
      volumes:
        - {name: drawer, configMap: {name: shop}}
YAML
kubectl apply -f shop.yaml
kubectl rollout status deployment/shop --timeout=90s
curl -s http://shop/config
