kubectl expose deployment shop --port=80 --target-port=8080
kubectl expose deployment shop --name=shop-out --type=NodePort --port=80 --target-port=8080
sleep 1
