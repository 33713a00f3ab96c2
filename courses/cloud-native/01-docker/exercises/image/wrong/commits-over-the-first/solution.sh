docker run -d --name one diary:1
docker run -d --name two diary:1
docker exec one sh -c 'echo 저녁에는 무지개가 떴어요. >> /diary/today.txt'
docker commit one diary:1
docker tag diary:1 diary:2
