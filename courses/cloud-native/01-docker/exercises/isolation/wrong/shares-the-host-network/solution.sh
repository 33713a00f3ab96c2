docker run -d --name bakery --network host nginx:1.26
docker run -d --name florist --network host nginx:1.26
docker cp bakery.html bakery:/usr/share/nginx/html/index.html
docker cp florist.html florist:/usr/share/nginx/html/index.html
