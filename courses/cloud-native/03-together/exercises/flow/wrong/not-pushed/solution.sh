sed -i "s|<p>.*|<p>안녕하세요, $(cat code.txt)</p>|" app/www/index.html
docker build -t registry.naru:5000/hello:v1 app
kubectl create deployment hello --image=registry.naru:5000/hello:v1 --replicas=2
kubectl expose deployment hello --port=80 --target-port=8080
sleep 5
