import json
import os
import sys

result = {"writable": [], "readonly": [], "other": []}
for line in sys.stdin:
    folder = line.strip()
    if not os.path.isdir(folder):
        result["other"].append(folder)
    elif os.stat(folder).st_mode & 0o002 or os.stat(folder).st_uid == os.getuid():
        result["writable"].append(folder)
    else:
        result["readonly"].append(folder)
print(json.dumps(result))
