kubectl patch deployment shop -p '{"spec":{"replicas":5}}'
kubectl rollout status deployment/shop --timeout=60s
kubectl autoscale deployment shop --min=2 --max=6 --cpu=50%
timeout 90 bash -c 'until [ "$(kubectl get deployment shop -o jsonpath={.status.replicas})" = 2 ]; do sleep 1; done'
