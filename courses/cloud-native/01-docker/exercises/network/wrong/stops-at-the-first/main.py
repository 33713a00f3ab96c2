import json
import socket
import sys


def hear(host, port):
    """서버가 보낸 글을 돌려줘요. 이어지지 않으면 None이에요."""
    with socket.create_connection((host, port), timeout=1) as wire:
        return wire.makefile().read().strip()


interfaces = [name for _, name in socket.if_nameindex()]
network = "none" if interfaces == ["lo"] else "bridge"
answers = []
try:
    for line in sys.stdin:
        host, port = line.split()
        answers.append({"to": f"{host}:{port}", "heard": None})
        answers[-1]["heard"] = hear(host, int(port))
except OSError:
    pass
print(json.dumps({"interfaces": interfaces, "network": network, "answers": answers}, ensure_ascii=False))
