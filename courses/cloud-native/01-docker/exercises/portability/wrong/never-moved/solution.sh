cd shop
python3 shop.py 3
on server python3 shop/shop.py 3
cat > Dockerfile <<'END'
FROM python:3.13-slim
WORKDIR /app
COPY requirements.txt .
RUN pip install --no-cache-dir -r requirements.txt
COPY shop.py .
ENTRYPOINT ["python3", "shop.py"]
END
docker build -t shop:1 .
