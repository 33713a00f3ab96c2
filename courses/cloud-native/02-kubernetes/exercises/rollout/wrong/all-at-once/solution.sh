kubectl patch deployment shop -p '{"spec":{"strategy":{"type":"Recreate","rollingUpdate":null}}}'
kubectl set image deployment/shop shop=shop:v2
kubectl rollout status deployment/shop --timeout=120s
kubectl set image deployment/shop shop=shop:v3
sleep 4
kubectl rollout undo deployment/shop
kubectl rollout status deployment/shop --timeout=120s
