kubectl get pods -o wide
kubectl delete $(kubectl get pods -l app=shop -o name | head -1)
kubectl rollout status deployment/shop --timeout=60s
node stop worker-2
kubectl wait --for=condition=Ready=Unknown node/worker-2 --timeout=60s || kubectl get nodes
sleep 12
kubectl get pods -o wide
