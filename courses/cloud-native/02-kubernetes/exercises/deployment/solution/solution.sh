kubectl create deployment shop --image=shop:v1 --replicas=3 --dry-run=client -o yaml > shop.yaml
sed -i 's/strategy: {}/strategy: {rollingUpdate: {maxUnavailable: 0, maxSurge: 1}}/' shop.yaml
kubectl apply -f shop.yaml
kubectl rollout status deployment/shop --timeout=60s
sleep 2
kubectl scale deployment shop --replicas=5
kubectl rollout status deployment/shop --timeout=60s
kubectl set image deployment/shop shop=shop:v2
kubectl rollout status deployment/shop --timeout=60s
kubectl get replicasets -o wide
