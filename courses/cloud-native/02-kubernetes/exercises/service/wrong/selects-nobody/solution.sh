kubectl create service clusterip shop --tcp=80:8080
kubectl create service nodeport shop-out --tcp=80:8080 --node-port=30080
sleep 1
