kubectl autoscale deployment shop --min=2 --max=6 --cpu=50%
load shop 500
timeout 60 bash -c 'until [ "$(kubectl get deployment shop -o jsonpath={.status.readyReplicas})" -ge 4 ]; do sleep 1; done'
kubectl get hpa shop
load shop 20
timeout 90 bash -c 'until [ "$(kubectl get deployment shop -o jsonpath={.status.replicas})" = 2 ]; do sleep 1; done'
kubectl describe hpa shop | tail -6
