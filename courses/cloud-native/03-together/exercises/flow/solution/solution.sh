sed -i "s|<p>.*|<p>안녕하세요, $(cat code.txt)</p>|" app/www/index.html
docker build -t registry.naru:5000/hello:v1 app
docker push registry.naru:5000/hello:v1
kubectl create deployment hello --image=registry.naru:5000/hello:v1 --replicas=2
kubectl rollout status deployment/hello --timeout=120s
kubectl expose deployment hello --port=80 --target-port=8080
sleep 1
curl -s --retry 5 --retry-all-errors http://hello/
