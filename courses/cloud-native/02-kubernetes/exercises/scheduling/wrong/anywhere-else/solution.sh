kubectl set resources deployment report --requests=memory=128Mi
sed -i 's/disk: sdd/disk: ssd/' cache.yaml
kubectl apply -f cache.yaml
kubectl patch deployment train --type=json -p '[{"op":"remove","path":"/spec/template/spec/nodeSelector"},{"op":"add","path":"/spec/template/spec/tolerations","value":[{"key":"team","operator":"Exists"}]},{"op":"add","path":"/spec/template/spec/nodeName","value":"worker-1"}]'
kubectl rollout status deployment/train --timeout=60s
