kubectl set resources deployment report --requests=memory=128Mi
sed -i 's/disk: sdd/disk: ssd/' cache.yaml
kubectl apply -f cache.yaml
kubectl taint node worker-3 team=gpu:NoSchedule-
kubectl rollout status deployment/train --timeout=60s
