"""같은 방에 이웃(sleep)을 몇 개 띄워 놓고 main.py를 실행해요. 고치지 않아도 돼요."""

import pathlib
import subprocess
import sys

company, nap, word = sys.argv[1:]
neighbours = [subprocess.Popen(["sleep", nap]) for _ in range(int(company))]
child = subprocess.Popen(["python3", "main.py", word])
pathlib.Path("child.pid").write_text(str(child.pid))
code = child.wait()
for neighbour in neighbours:
    neighbour.kill()
    neighbour.wait()
sys.exit(code)
