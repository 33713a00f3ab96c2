import json
import os


def visible_processes():
    """보이는 프로세스마다 {"pid": 번호, "command": 명령}을 담아 돌려줘요."""
    # /proc 아래에는 프로세스마다 번호로 된 폴더가 하나씩 있어요. 지금은 아무것도 읽지 않아요.
    return [{"pid": 1, "command": "?"}]


print(json.dumps({"hostname": "?", "me": 0, "processes": visible_processes()}, ensure_ascii=False))
