docker run -d --name one diary:1
docker run -d --name two diary:1
docker exec one sh -c 'echo 저녁에는 무지개가 떴어요. >> /diary/today.txt'
docker diff one
docker diff two
docker exec two cat /diary/today.txt
docker commit one diary:2
docker history diary:2
docker run --rm diary:2 cat /diary/today.txt
