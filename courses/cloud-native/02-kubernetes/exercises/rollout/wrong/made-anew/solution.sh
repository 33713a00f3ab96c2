kubectl delete deployment shop
kubectl create deployment shop --image=shop:v3 --replicas=3
sleep 3
kubectl set image deployment/shop shop=shop:v2
kubectl rollout status deployment/shop --timeout=120s
