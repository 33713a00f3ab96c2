kubectl delete pod nosuch
node stop worker-2
sleep 14
kubectl get pods -o wide
