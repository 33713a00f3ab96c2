sed -i "s|<p>.*|<p>안녕하세요, $(cat code.txt)</p>|" app/www/index.html
docker build -t registry.naru:5000/hello:v1 app
docker tag registry.naru:5000/hello:v1 first
docker push registry.naru:5000/hello:v1
kubectl create deployment hello --image=registry.naru:5000/hello:v1
kubectl patch deployment hello -p '{"spec":{"template":{"spec":{"containers":[{"name":"hello","imagePullPolicy":"Always"}]}}}}'
kubectl rollout status deployment/hello --timeout=120s
kubectl expose deployment hello --port=80 --target-port=8080
echo '<p>또 오세요.</p>' >> app/www/index.html
docker build -t registry.naru:5000/hello:v1 app
docker push registry.naru:5000/hello:v1
kubectl scale deployment hello --replicas=2
kubectl rollout status deployment/hello --timeout=120s
docker tag first registry.naru:5000/hello:v1
docker push registry.naru:5000/hello:v1
kubectl get pods -l app=hello -o jsonpath='{.items[*].status.containerStatuses[0].imageID}'
