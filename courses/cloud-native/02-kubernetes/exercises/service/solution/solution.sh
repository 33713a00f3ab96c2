kubectl expose deployment shop --port=80 --target-port=8080
cat > out.yaml <<'YAML'
apiVersion: v1
kind: Service
metadata:
  name: shop-out
spec:
  type: NodePort
  selector: {app: shop}
  ports:
    - port: 80
      targetPort: 8080
      nodePort: 30080
YAML
kubectl apply -f out.yaml
kubectl get services
sleep 1
curl -s --retry 5 --retry-all-errors http://10.0.0.1:30080/
