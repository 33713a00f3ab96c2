kubectl describe service shop | grep -E 'Selector|Endpoints'
kubectl get pods --show-labels
kubectl set selector service shop app=shop,tier=front
kubectl get endpointslices -l kubernetes.io/service-name=shop
kubectl exec client -- wget -qO- -T 5 http://shop/
