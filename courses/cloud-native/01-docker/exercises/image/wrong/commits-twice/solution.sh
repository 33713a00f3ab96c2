docker run -d --name one diary:1
docker run -d --name two diary:1
docker exec one sh -c 'echo 저녁에는 무지개가 떴어요. >> /diary/today.txt'
docker commit one diary:2
docker run -d --name three diary:2
docker exec three sh -c 'echo 별도 봤어요. >> /diary/today.txt'
docker commit three diary:2
