docker run -d --name book -p 8080:8000 -e TITLE=나루터 --restart on-failure guestbook:1
curl --silent --retry 20 --retry-delay 1 --retry-all-errors http://127.0.0.1:8080/
curl -d 다녀가요 http://127.0.0.1:8080/
docker rm -f book
docker run -d --name book -p 8080:8000 -e TITLE=나루터 --restart on-failure guestbook:1
curl --silent --retry 20 --retry-delay 1 --retry-all-errors http://127.0.0.1:8080/
curl -X POST http://127.0.0.1:8080/crash
curl --silent --retry 20 --retry-delay 1 --retry-all-errors http://127.0.0.1:8080/
curl -d 다녀가요 http://127.0.0.1:8080/
