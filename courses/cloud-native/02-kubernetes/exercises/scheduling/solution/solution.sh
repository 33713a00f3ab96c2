kubectl get pods -o wide
kubectl describe pod -l app=report | tail -4
kubectl set resources deployment report --requests=memory=128Mi
sed -i 's/disk: sdd/disk: ssd/' cache.yaml
kubectl apply -f cache.yaml
kubectl patch deployment train -p '{"spec":{"template":{"spec":{"tolerations":[{"key":"team","operator":"Equal","value":"gpu","effect":"NoSchedule"}]}}}}'
kubectl rollout status deployment/report --timeout=60s
kubectl rollout status deployment/cache --timeout=60s
kubectl rollout status deployment/train --timeout=60s
