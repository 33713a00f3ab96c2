import json
import resource
import sys

import journal


def count_errors(count, every):
    """오류가 몇 줄인지 세요."""
    return sum("ERROR" in line for line in journal.lines(count, every))


def memory_limit():
    """이 컨테이너의 메모리 한계를 바이트로 돌려줘요. cgroup v1과 gVisor의 자리, v2의 자리 차례로 찾아요."""
    with open("/proc/meminfo") as file:
        return int(file.readline().split()[1]) * 1024


def process_limit():
    """쓸 수 있는 프로세스의 수를 돌려줘요."""
    return resource.getrlimit(resource.RLIMIT_NPROC)[0]


errors = count_errors(int(sys.argv[1]), int(sys.argv[2]))
limit = memory_limit()
print(json.dumps({
    "errors": errors,
    "memory_bytes": limit,
    "memory_mb": limit // (1024 * 1024),
    "processes": process_limit(),
}))
