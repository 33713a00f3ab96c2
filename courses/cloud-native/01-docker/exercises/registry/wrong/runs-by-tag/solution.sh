docker tag hello:1.0 registry.naru:5000/naru/hello:1.0
docker push registry.naru:5000/naru/hello:1.0
docker rmi hello:1.0 registry.naru:5000/naru/hello:1.0
docker run -d --name hello registry.naru:5000/naru/hello:1.0
