kubectl create deployment shop --image=shop:v1 --replicas=3
kubectl rollout status deployment/shop --timeout=60s
sleep 2
kubectl delete deployment shop
kubectl create deployment shop --image=shop:v2 --replicas=5 --dry-run=client -o yaml > shop.yaml
sed -i 's/strategy: {}/strategy: {rollingUpdate: {maxUnavailable: 0, maxSurge: 1}}/' shop.yaml
kubectl apply -f shop.yaml
kubectl rollout status deployment/shop --timeout=60s
