import json
import sys

result = {"writable": [], "readonly": [], "other": []}
for line in sys.stdin:
    folder = line.strip()
    if folder.startswith(("/box", "/tmp", "/dev/shm")):
        result["writable"].append(folder)
    elif folder == "/var/tmp":
        result["readonly"].append(folder)
    else:
        result["other"].append(folder)
print(json.dumps(result))
