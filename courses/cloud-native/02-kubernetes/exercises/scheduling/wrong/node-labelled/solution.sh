kubectl set resources deployment report --requests=memory=128Mi
kubectl label node worker-2 disk=sdd --overwrite
kubectl patch deployment train -p '{"spec":{"template":{"spec":{"tolerations":[{"key":"team","operator":"Exists"}]}}}}'
kubectl rollout status deployment/train --timeout=60s
