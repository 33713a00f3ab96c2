import json
import socket
import sys


def hear(host, port):
    """서버가 보낸 글을 돌려줘요. 이어지지 않으면 None이에요."""
    try:
        with socket.create_connection((host, port), timeout=1) as wire:
            return wire.makefile().read().strip()
    except OSError:
        return None


interfaces = [name for _, name in socket.if_nameindex()]
network = "none" if interfaces == ["lo"] else "bridge"
answers = []
for line in sys.stdin:
    host, port = line.split()
    answers.append({"to": f"{host}:{port}", "heard": hear(host, int(port))})
print(json.dumps({"interfaces": interfaces, "network": network, "answers": answers}, ensure_ascii=False))
