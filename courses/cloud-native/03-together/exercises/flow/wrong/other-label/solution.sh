sed -i "s|<p>.*|<p>안녕하세요, $(cat code.txt)</p>|" app/www/index.html
docker build -t registry.naru:5000/hello:v1 app
docker push registry.naru:5000/hello:v1
kubectl create deployment hello --image=registry.naru:5000/hello:v1 --replicas=2
kubectl rollout status deployment/hello --timeout=120s
kubectl create service clusterip hello --tcp=80:8080
kubectl set selector service hello app=helo
sleep 1
