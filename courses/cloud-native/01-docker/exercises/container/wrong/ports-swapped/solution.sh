docker run -d --name book -p 8000:8080 -e TITLE=나루터 -v book-data:/data --restart on-failure guestbook:1
docker rm -f book
docker run -d --name book -p 8000:8080 -e TITLE=나루터 -v book-data:/data --restart on-failure guestbook:1
