mkdir site
docker run -d --name bakery -p 8081:80 -v /root/site:/usr/share/nginx/html nginx:1.26
docker run -d --name florist -p 8082:80 -v /root/site:/usr/share/nginx/html nginx:1.26
cp bakery.html site/index.html
cp florist.html site/index.html
