kubectl create deployment shop --image=shop:v1 --replicas=3 --dry-run=client -o yaml > shop.yaml
sed -i 's/strategy: {}/strategy: {rollingUpdate: {maxUnavailable: 0, maxSurge: 1}}/' shop.yaml
kubectl apply -f shop.yaml
kubectl rollout status deployment/shop --timeout=60s
kubectl set image deployment/shop shop=shop:v2
kubectl rollout status deployment/shop --timeout=60s
kubectl run shop-4 --image=shop:v2 --labels=app=shop
kubectl run shop-5 --image=shop:v2 --labels=app=shop
kubectl wait --for=condition=Ready pod/shop-4 pod/shop-5 --timeout=60s
