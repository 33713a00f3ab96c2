import json
import os
import socket
import sys

processes = [{"pid": 1, "command": "/sbin/park"}, {"pid": os.getpid(), "command": f"python3 main.py {sys.argv[1]}"}]
print(json.dumps({"hostname": socket.gethostname(), "me": os.getpid(), "processes": processes}))
