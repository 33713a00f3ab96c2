cd shop
python3 shop.py 3
on server python3 shop/shop.py 3
cat > Dockerfile <<'END'
FROM python:3.13-slim
WORKDIR /app
COPY requirements.txt .
RUN pip install --no-cache-dir -r requirements.txt
COPY shop.py .
CMD ["python3", "shop.py", "3"]
END
docker build -t shop:1 .
docker save shop:1 | on server docker load
