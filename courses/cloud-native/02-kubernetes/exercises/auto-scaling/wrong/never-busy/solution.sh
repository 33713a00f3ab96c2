kubectl autoscale deployment shop --min=2 --max=6 --cpu=50%
sleep 5
kubectl get hpa shop
