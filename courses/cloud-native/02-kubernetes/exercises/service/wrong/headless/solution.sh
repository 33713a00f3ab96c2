kubectl expose deployment shop --port=80 --target-port=8080 --cluster-ip=None
kubectl expose deployment shop --name=shop-out --type=NodePort --port=80 --target-port=8080 --overrides='{"spec":{"ports":[{"port":80,"targetPort":8080,"nodePort":30080}]}}'
sleep 1
