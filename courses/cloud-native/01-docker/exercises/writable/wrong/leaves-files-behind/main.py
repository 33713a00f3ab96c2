import errno
import json
import sys


def try_to_write(folder):
    """폴더에 임시 파일을 만들어 보고 어느 무리인지 돌려줘요."""
    try:
        with open(folder + "/naru-test", "w"):
            return "writable"
    except OSError as error:
        return "readonly" if error.errno == errno.EROFS else "other"


result = {"writable": [], "readonly": [], "other": []}
for line in sys.stdin:
    folder = line.strip()
    result[try_to_write(folder)].append(folder)
print(json.dumps(result))
