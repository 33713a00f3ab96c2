import json
import sys

import journal


def count_errors(count, every):
    """오류가 몇 줄인지 세요."""
    lines = list(journal.lines(count, every))
    return len([line for line in lines if "ERROR" in line])


def memory_limit():
    """이 컨테이너의 메모리 한계를 바이트로 돌려줘요."""
    return 0


def process_limit():
    """쓸 수 있는 프로세스의 수를 돌려줘요."""
    return 0


errors = count_errors(int(sys.argv[1]), int(sys.argv[2]))
limit = memory_limit()
print(json.dumps({
    "errors": errors,
    "memory_bytes": limit,
    "memory_mb": limit // (1024 * 1024),
    "processes": process_limit(),
}))
