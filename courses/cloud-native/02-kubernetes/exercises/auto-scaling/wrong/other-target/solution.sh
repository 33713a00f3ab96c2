kubectl autoscale deployment shop --min=2 --max=6 --cpu=90%
load shop 900
sleep 8
kubectl get hpa shop
