kubectl get pods -l app=shop
kubectl describe service shop
kubectl get deployment shop -o yaml | head -60
cat > mend.sh <<'SH'
image=$(kubectl get deployment shop -o jsonpath='{.spec.template.spec.containers[0].image}')
[ "$image" = shop:v2 ] || kubectl set image deployment/shop shop=shop:v2
[ "$(kubectl get service shop -o jsonpath='{.spec.selector.app}')" = shop ] || kubectl set selector service shop app=shop
[ "$(kubectl get service shop -o jsonpath='{.spec.ports[0].targetPort}')" = 8080 ] || kubectl patch service shop -p '{"spec":{"ports":[{"port":80,"targetPort":8080}]}}'
[ -n "$(kubectl get configmap shop -o jsonpath='{.data.GREETING}')" ] || kubectl patch configmap shop --type=merge -p '{"data":{"GREETINGS":null,"GREETING":"어서 오세요"}}'
kubectl get deployment shop -o json > shop.json
jq '.spec.template.spec.containers[0] |= (.readinessProbe.httpGet.path = "/healthz" | .resources.requests.cpu = "100m" | .env |= map(select(.name != "SHOP_CRASH") | if .name == "TOKEN" then .valueFrom.secretKeyRef.name = "shop" else . end))' shop.json > mended.json
jq -e --slurpfile new mended.json '.spec == $new[0].spec' shop.json > /dev/null || kubectl replace -f mended.json
SH
sh mend.sh
kubectl rollout status deployment/shop --timeout=120s
kubectl patch deployment shop -p '{"spec":{"strategy":{"type":"RollingUpdate"}}}'
kubectl rollout status deployment/shop --timeout=120s
