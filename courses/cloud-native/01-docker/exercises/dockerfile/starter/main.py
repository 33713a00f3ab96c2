import os

import requests

answer = requests.get(
    "https://orders.example/today",
    headers={"Authorization": f"Bearer {os.environ['API_TOKEN']}"},
    timeout=5,
)
print(answer.json())
