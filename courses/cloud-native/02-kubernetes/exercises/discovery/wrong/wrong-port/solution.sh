kubectl set selector service shop app=shop,tier=front
kubectl patch service shop -p '{"spec":{"ports":[{"port":80,"targetPort":80}]}}'
sleep 2
