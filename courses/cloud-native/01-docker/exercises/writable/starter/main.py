import json
import os
import sys

result = {"writable": [], "readonly": [], "other": []}
for line in sys.stdin:
    folder = line.strip()
    # 권한 비트만 보고 짐작하고 있어요. 정말로 써 보면 다를 수 있어요.
    if os.path.exists(folder) and os.stat(folder).st_mode & 0o002:
        result["writable"].append(folder)
    else:
        result["other"].append(folder)
print(json.dumps(result))
