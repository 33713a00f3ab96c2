"""주문 수량을 한 줄에 하나씩 받아, 창고로 보낼 요청을 만들어 보여 줘요."""

import json
import os
import sys

import requests

total = sum(int(line) for line in sys.stdin if line.strip())
request = requests.Request(
    "POST",
    "https://orders.example/today",
    headers={"Authorization": f"Bearer {os.environ.get('API_TOKEN', '')}"},
    json={"total": total},
).prepare()
print(json.dumps({**json.loads(request.body), "uid": os.getuid()}))
