kubectl autoscale deployment shop --min=2 --max=3 --cpu=50%
load shop 500
sleep 8
kubectl get hpa shop
