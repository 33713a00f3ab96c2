kubectl create deployment shop --image=shop:v1 --replicas=3
kubectl rollout status deployment/shop --timeout=60s
sleep 2
kubectl scale deployment shop --replicas=5
kubectl set image deployment/shop shop=shop:v2
kubectl rollout status deployment/shop --timeout=60s
