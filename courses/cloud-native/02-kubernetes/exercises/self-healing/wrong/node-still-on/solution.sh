kubectl delete $(kubectl get pods -l app=shop -o name | head -1)
kubectl rollout status deployment/shop --timeout=60s
