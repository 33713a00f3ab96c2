kubectl set image deployment/shop shop=shop:v3
kubectl rollout status deployment/shop --timeout=6s
kubectl set image deployment/shop shop=shop:v2
kubectl rollout status deployment/shop --timeout=120s
