import platform
import sys
from itertools import batched


def loads(size, weights):
    """트럭마다 실린 무게의 합을 차례로 돌려줘요."""
    return [sum(group) for group in batched(weights, size)]


size = int(input())
weights = [int(word) for word in input().split()]
for total in loads(size, weights):
    print(total)

# 어느 방에서 실행했는지 오류 출력에 남겨요.
room = platform.freedesktop_os_release()["PRETTY_NAME"]
print(f"{room}, Python {platform.python_version()}", file=sys.stderr)
