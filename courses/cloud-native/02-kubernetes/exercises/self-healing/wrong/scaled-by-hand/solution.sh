kubectl delete $(kubectl get pods -l app=shop -o name | head -1)
node stop worker-2
kubectl scale deployment shop --replicas=6
kubectl scale deployment shop --replicas=4
sleep 14
