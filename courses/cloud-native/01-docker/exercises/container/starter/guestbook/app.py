"""방명록. 8000번 포트에서 기다려요.

GET  /       지금까지 남은 글
GET  /json   같은 것을 JSON으로
POST /       본문을 한 줄로 남겨요
POST /crash  프로그램이 쓰러져요(종료 코드 3)
"""

import json
import os
import socket
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

BOOK = Path("/data/book.jsonl")
TITLE = os.environ.get("TITLE", "이름 없는 방명록")


def read() -> list[dict[str, str]]:
    return [json.loads(line) for line in BOOK.read_text().splitlines()] if BOOK.exists() else []


def write(text: str) -> None:
    BOOK.parent.mkdir(exist_ok=True)
    with BOOK.open("a") as book:
        book.write(json.dumps({"by": socket.gethostname(), "text": text}, ensure_ascii=False) + "\n")


class Guestbook(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/json":
            self.answer(json.dumps({"title": TITLE, "lines": read()}, ensure_ascii=False))
        else:
            self.answer("\n".join([f"[{TITLE}]", *(f"{line['by']}: {line['text']}" for line in read())]) + "\n")

    def do_POST(self) -> None:
        if self.path == "/crash":
            print("앗, 발이 걸렸어요. 프로그램이 쓰러져요.", flush=True)
            os._exit(3)
        write(self.rfile.read(int(self.headers.get("Content-Length", 0))).decode().strip())
        self.answer("남겼어요.\n")

    def answer(self, text: str) -> None:
        body = text.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *parts: object) -> None:
        print(self.command, self.path, flush=True)


print(f"[{TITLE}] 문을 열었어요. 글이 {len(read())}개 있어요.", flush=True)
ThreadingHTTPServer(("", 8000), Guestbook).serve_forever()
