"""bin/start: set everything up, serve until Ctrl-C, leave nothing running."""

from __future__ import annotations

import argparse
import ctypes
import fcntl
import os
import signal
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import FrameType

from _naru import dockerd, engine, frontend, images, say, serve, shell, venv
from _naru.places import PYTHON, ROOT, Data

PR_SET_PDEATHSIG = 1
ANSWER_S = 60.0


class Stop(Exception):
    """SIGTERM or SIGHUP came: end as for Ctrl-C."""


def options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="bin/start",
        description="나루를 준비하고 켜요. Ctrl-C로 끝내요.",
        epilog="다른 설정은 NARU_ 로 시작하는 환경 변수로 바꿔요(README).",
        add_help=False,
    )
    parser.add_argument("--host", default=os.environ.get("NARU_HOST") or "127.0.0.1",
                        help="열 주소예요(기본 127.0.0.1). 다른 주소로 열면 손님 계정은 꺼져요")  # fmt: skip
    parser.add_argument("--port", type=port_number, default=os.environ.get("NARU_PORT") or "8000",
                        help="열 포트예요(기본 8000)")  # fmt: skip
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("NARU_DATA") or ROOT / "var"),
                        help="데이터 폴더예요(기본 var)")  # fmt: skip
    parser.add_argument("-h", "--help", action="help", help="이 도움말을 보여 줘요")
    return parser.parse_args(arguments)


def port_number(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"포트는 1부터 65535까지예요: {text}")
    return int(text)


def refuse_taken_port(host: str, port: int) -> None:
    """Find out before minutes of set-up, and say it in one line."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except OSError as error:
        raise say.Failure(f"주소를 알 수 없어요: {host}") from error
    with socket.socket(family, kind) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except PermissionError as error:
            raise say.Failure(f"{port}번 포트를 열 권한이 없어요. --port로 1024 이상의 포트를 골라 주세요.") from error
        except OSError as error:
            raise say.Failure(
                f"{host}의 {port}번 포트를 열 수 없어요. 다른 프로그램이 쓰고 있다면 --port로 다른 포트를 골라 주세요."
            ) from error


def hold(data: Data) -> int:
    """Keep a second bin/start away from the same data; returns the locked descriptor."""
    descriptor = os.open(data.path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise say.Failure(f"이 데이터 폴더로 이미 나루가 켜져 있어요: {data.path}") from error
    return descriptor


def portal_environment(data: Data, host: str) -> dict[str, str]:
    """What the portal's processes get; what the operator set stays."""
    own = {
        "NARU_DATA": str(data.path),
        "NARU_HOST": host,
        "NARU_ENGINE_SOCKET": str(data.socket),
        "PYTHONUNBUFFERED": "1",
    }
    if not os.environ.get("NARU_ALLOWED_HOSTS"):
        own["NARU_ALLOWED_HOSTS"] = serve.allowed_hosts(host)
    return {**os.environ, **own}


def end_with_parent() -> None:
    """In the child: even a SIGKILL of bin/start ends the server."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def set_up(data: Data, docker: dockerd.HostDocker, container: engine.Engine, portal: serve.Portal) -> None:
    """Everything up to the point where uvicorn can start; independent parts side by side."""

    def engine_side() -> None:
        docker.ensure()
        image = images.ensure_engine()
        with say.step("엔진 컨테이너 켜기"):
            container.start(image)

    with ThreadPoolExecutor(1) as beside:
        engine_ready = beside.submit(engine_side)
        try:
            venv.ensure()
            frontend.ensure()
            portal.prepare()
        except Stop:
            shell.cancel()
            raise
        except say.Failure as failure:
            say.failed(failure)  # both sides are told: the engine's own failure may follow
            engine_ready.result()
            raise say.Failure("위의 문제를 해결하고 다시 시작해 주세요.") from failure
        try:
            engine_ready.result()
        except Stop:
            shell.cancel()
            raise


def address(host: str, port: int) -> str:
    shown = "127.0.0.1" if host == "0.0.0.0" else "::1" if host == "::" else host  # noqa: S104  (shown, not bound)
    return f"http://{f'[{shown}]' if ':' in shown else shown}:{port}/"


def wait_for_pages(server: subprocess.Popen[bytes], url: str) -> None:
    deadline = time.monotonic() + ANSWER_S
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise say.Failure("포털이 켜지자마자 꺼졌어요. 위에 나온 까닭을 확인해 주세요.")
        try:
            opener.open(f"{url}healthz", timeout=5).close()
            return
        except urllib.error.HTTPError:
            return  # an answer, whatever it says
        except OSError:
            time.sleep(0.05)
    raise say.Failure("포털이 대답하지 않아요.")


def stop_server(server: subprocess.Popen[bytes] | None) -> None:
    if server is None or server.poll() is not None:
        return
    server.send_signal(signal.SIGTERM)
    try:
        server.wait(serve.GRACE_S + 10)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait(5)


def on_signal(number: int, frame: FrameType | None) -> None:
    raise Stop


def main(arguments: list[str]) -> int:
    chosen = options(arguments)
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, on_signal)
    began = time.monotonic()
    refuse_taken_port(chosen.host, chosen.port)
    data = Data(chosen.data)
    data.make()
    lock = hold(data)
    docker = dockerd.HostDocker()
    container = engine.Engine(data, labs=os.environ.get("NARU_ENGINE_LABS") != "0")
    environment = portal_environment(data, chosen.host)
    portal = serve.Portal(data, PYTHON, environment)
    server: subprocess.Popen[bytes] | None = None
    ended = threading.Event()
    code = 0
    try:
        set_up(data, docker, container, portal)
        server = subprocess.Popen(
            portal.command(chosen.host, chosen.port),
            cwd=ROOT,
            env=portal.environment,
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # a Ctrl-C of the terminal reaches us only, and we end it in order
            preexec_fn=end_with_parent,
        )
        url = address(chosen.host, chosen.port)
        wait_for_pages(server, url)
        say.line(f"\n나루가 켜졌어요: {url}  ({time.monotonic() - began:.1f}초)")
        say.line(f"관리자 이름은 {serve.ADMIN}, 비밀번호는 {portal.password_file} 안에 있어요. Ctrl-C로 끝내요.")
        threading.Thread(target=container.follow_labs, args=(ended,), daemon=True).start()
        code = server.wait()
        say.failed(say.Failure(f"포털이 스스로 끝났어요(종료 코드 {code})."))
    except Stop:
        say.line("\n끝내는 중이에요.")
    finally:
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)  # a second Ctrl-C must not cut the tidying short
        ended.set()
        stop_server(server)
        container.stop()
        docker.stop_started()
        os.close(lock)
    return code
