kubectl get pods
kubectl get events
