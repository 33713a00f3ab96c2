kubectl delete service shop
kubectl expose deployment shop --port=80 --target-port=8080
sleep 2
