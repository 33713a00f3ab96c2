kubectl get deployment,service,configmap,secret shop -o json > all.json
kubectl delete deployment,service,configmap,secret shop
kubectl create configmap shop --from-literal=GREETING='어서 오세요'
kubectl create secret generic shop --from-literal=TOKEN=naru-2041
kubectl create deployment shop --image=shop:v2 --replicas=2
kubectl set env deployment/shop --from=configmap/shop
kubectl set env deployment/shop --from=secret/shop
kubectl expose deployment shop --port=80 --target-port=8080
kubectl rollout status deployment/shop --timeout=120s
sleep 2
