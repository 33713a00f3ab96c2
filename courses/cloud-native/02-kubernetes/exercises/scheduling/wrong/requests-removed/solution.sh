kubectl patch deployment report --type=json -p '[{"op":"remove","path":"/spec/template/spec/containers/0/resources"}]'
sed -i 's/disk: sdd/disk: ssd/' cache.yaml
kubectl apply -f cache.yaml
kubectl patch deployment train -p '{"spec":{"template":{"spec":{"tolerations":[{"key":"team","operator":"Exists"}]}}}}'
kubectl rollout status deployment/train --timeout=60s
