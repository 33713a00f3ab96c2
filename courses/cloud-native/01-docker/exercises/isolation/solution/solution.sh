docker run -d --name bakery -p 8081:80 nginx:1.26
docker run -d --name florist -p 8082:80 nginx:1.26
docker cp bakery.html bakery:/usr/share/nginx/html/index.html
docker cp florist.html florist:/usr/share/nginx/html/index.html
curl http://127.0.0.1:8081/
curl http://127.0.0.1:8082/
