"""What bin/start and bin/test are made of, piece by piece."""

from __future__ import annotations

import json
import os
import socket
import stat
import subprocess
import threading
from pathlib import Path

import pytest
from _naru import check, dockerd, dockerfile, engine, images, places, say, serve, shell, stamps, start

ROOT = Path(__file__).resolve().parent.parent


def test_help_is_korean_and_names_every_option() -> None:
    for command, options in {"start": ["--host", "--port", "--data"], "test": ["--fast", "-k"]}.items():
        done = subprocess.run([ROOT / "bin" / command, "--help"], capture_output=True, text=True, check=True)
        assert [option for option in [*options, "--help"] if option not in done.stdout] == []
        assert "나루" in done.stdout or "검사" in done.stdout


def test_start_names_a_port_in_use_in_one_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = subprocess.run(
            [ROOT / "bin" / "start", "--port", str(port), "--data", str(tmp_path / "data")],
            capture_output=True, text=True, timeout=20, check=False,
        )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        f"✗ 127.0.0.1의 {port}번 포트를 열 수 없어요. 다른 프로그램이 쓰고 있다면 --port로 다른 포트를 골라 주세요."
    ]
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("port", ["0", "65536", "http", "-1", ""])
def test_start_refuses_a_port_that_is_none(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        start.options([f"--port={port}"])
    assert "포트는 1부터 65535까지예요" in capsys.readouterr().err


def test_an_old_python_is_told_in_one_line(tmp_path: Path) -> None:
    for name in ("python3", "python3.11", "python3.12", "python3.13", "python3.14"):
        (tmp_path / name).write_text("#!/bin/sh\nexit 1\n")
        (tmp_path / name).chmod(0o755)
    path = f"{tmp_path}:/usr/bin:/bin"
    done = subprocess.run(
        [ROOT / "bin" / "start"], env={"PATH": path}, capture_output=True, text=True, timeout=10, check=False
    )
    assert done.returncode == 1
    assert done.stderr.startswith("Python 3.11 이상이 필요해요.")
    assert done.stderr.count("\n") == 1


def test_two_starts_on_the_same_data_are_refused(tmp_path: Path) -> None:
    data = places.Data(tmp_path)
    lock = start.hold(data)
    try:
        with pytest.raises(say.Failure, match="이미 나루가 켜져 있어요"):
            start.hold(data)
    finally:
        os.close(lock)


def test_socket_lies_in_the_data_directory_and_its_name_derives_from_it(tmp_path: Path) -> None:
    data, other = places.Data(tmp_path / "a"), places.Data(tmp_path / "b")
    data.make()
    assert data.socket == tmp_path / "a" / "engine" / "docker.sock"
    assert data.engine_dir.is_dir()
    assert data.engine_name != other.engine_name


def test_data_path_too_long_for_a_socket_gets_a_short_one(tmp_path: Path) -> None:
    data = places.Data(tmp_path / ("아주긴이름" * 10) / "data")
    data.make()
    try:
        assert len(os.fsencode(data.socket)) <= places.SOCKET_PATH_MOST
        assert (data.path / "engine").resolve() == data.engine_dir
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(data.socket))
    finally:
        data.socket.unlink(missing_ok=True)
        data.engine_dir.rmdir()


def test_data_that_is_a_file_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    with pytest.raises(say.Failure, match="데이터 폴더에 쓸 수 없어요"):
        places.Data(tmp_path / "data").make()


def test_full_disk_is_told_before_anything_is_set_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "DATA_LEAST_MB", 10**9)
    with pytest.raises(say.Failure, match="디스크 공간이 모자라요"):
        places.Data(tmp_path / "data").make()


@pytest.mark.parametrize("content", ["", "not a number", "999999999", "1"])
def test_stale_pid_file_is_removed(tmp_path: Path, content: str) -> None:
    file = tmp_path / "docker.pid"
    file.write_text(content)
    assert dockerd.remove_stale_pid(file, "dockerd")
    assert not file.exists()


def test_pid_file_of_a_living_daemon_stays(tmp_path: Path) -> None:
    file = tmp_path / "docker.pid"
    file.write_text(str(os.getpid()))
    own_name = Path("/proc/self/comm").read_text().strip()
    assert not dockerd.remove_stale_pid(file, own_name)
    assert file.exists()
    assert not dockerd.remove_stale_pid(tmp_path / "absent", "dockerd")


def test_docker_that_is_missing_is_told_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    monkeypatch.setattr(dockerd.HostDocker, "answers", lambda self: False)
    monkeypatch.setattr(dockerd.os, "access", lambda *_: True)
    monkeypatch.setattr(dockerd.system, "can_install", lambda: False)
    with pytest.raises(say.Failure, match=r"Docker 엔진이 없어요.*apt install docker\.io"):
        dockerd.HostDocker().ensure()


def test_docker_without_rights_is_told_with_the_group(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    monkeypatch.setattr(dockerd.HostDocker, "answers", lambda self: False)
    monkeypatch.setattr(dockerd.Path, "exists", lambda self: True)
    monkeypatch.setattr(dockerd.os, "access", lambda *_: False)
    with pytest.raises(say.Failure, match=r"권한이 없어요.*usermod -aG docker"):
        dockerd.HostDocker().ensure()


def test_dockerd_that_we_did_not_start_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    monkeypatch.setattr(dockerd.shell, "answer", lambda argv, **_: asked.append(argv))
    dockerd.HostDocker().stop_started()
    assert asked == []


def test_secret_is_private_and_never_written_twice(tmp_path: Path) -> None:
    file = tmp_path / "secret-key"
    serve.write_secret(file)
    first = file.read_text()
    serve.write_secret(file)
    assert file.read_text() == first
    assert len(first.strip()) >= 50
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_allowed_hosts_follow_the_bind_address() -> None:
    assert serve.allowed_hosts("127.0.0.1") == "127.0.0.1,localhost,[::1]"
    assert serve.allowed_hosts("fd00::5").endswith(",[fd00::5]")
    assert socket.gethostname() in serve.allowed_hosts("0.0.0.0").split(",")  # noqa: S104  (nothing is bound)


def test_address_is_one_that_a_browser_opens() -> None:
    shown = [start.address(host, 80) for host in ("0.0.0.0", "::", "127.0.0.1", "fd00::5")]  # noqa: S104  (shown only)
    assert shown == ["http://127.0.0.1:80/", "http://[::1]:80/", "http://127.0.0.1:80/", "http://[fd00::5]:80/"]


def test_stamps_hold_until_an_input_changes(tmp_path: Path) -> None:
    source = tmp_path / "source"
    (source / "__pycache__").mkdir(parents=True)
    (source / "a.py").write_text("1")
    known = stamps.Stamps(tmp_path / "stamps.json")
    before = stamps.digest(stamps.files_under(source), base=tmp_path)
    known.set("step", before)
    (source / "__pycache__" / "a.pyc").write_text("cache")
    assert known.current("step", stamps.digest(stamps.files_under(source), base=tmp_path))
    (source / "a.py").rename(source / "b.py")
    assert not known.current("step", stamps.digest(stamps.files_under(source), base=tmp_path))


def test_broken_stamps_mean_that_nothing_is_known(tmp_path: Path) -> None:
    (tmp_path / "stamps.json").write_text("{half")
    assert not stamps.Stamps(tmp_path / "stamps.json").current("step", "x")


def test_build_context_is_the_same_bytes_for_the_same_content() -> None:
    assert images.context_tar(["labs/engine"]) == images.context_tar(["labs/engine"])


def test_a_failed_command_shows_the_end_of_its_output() -> None:
    with pytest.raises(say.Failure, match="못 했어요") as caught:
        shell.run(["sh", "-c", "echo first; echo last >&2; exit 3"], failure="못 했어요")
    assert caught.value.detail == "first\nlast"


def test_a_missing_command_is_a_failure_too() -> None:
    with pytest.raises(say.Failure, match="못 했어요"):
        shell.run(["naru-no-such-command"], failure="못 했어요")
    assert shell.answer(["naru-no-such-command"]) is None


def test_engine_container_asks_for_no_privilege() -> None:
    assert "--privileged" not in engine.RIGHTS
    assert [right for right in engine.RIGHTS if right.startswith("--cap-add")] == [
        "--cap-add=SYS_ADMIN",
        "--cap-add=NET_ADMIN",
    ]


def test_engine_dockerfile_carries_the_images_as_they_are() -> None:
    current = dockerfile.TARGET.read_text()
    assert dockerfile.assemble(current, dockerfile.CATALOGUE.read_text()) == current, "run: python bin/_naru dockerfile"


def test_image_of_a_lab_is_put_where_it_is_imported_after_the_engine_is_ready() -> None:
    found = {one.name: (one.kind, one.folder) for one in dockerfile.environments(dockerfile.CATALOGUE.read_text())}
    assert found["python"] == ("run", "/images")
    assert found["docker"] == ("lab", "/labs/images")
    assert "echo docker >/labs/images/naru-docker.environment" in dockerfile.TARGET.read_text()


def test_every_go_module_is_vetted() -> None:
    found = {str(path.parent.relative_to(ROOT)) for path in (ROOT / "labs").rglob("go.mod")}
    assert found == set(check.GO_MODULES)


@pytest.mark.parametrize(
    ("told", "there"),
    [({"docker": "ready"}, True), ({"docker": "ready", "other": "failed"}, False), ({"docker": "failed"}, False)],
)
def test_labs_are_followed_to_their_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: dict[str, str], there: bool
) -> None:
    container = engine.Engine(places.Data(tmp_path))
    monkeypatch.setattr(container, "log", lambda: "")
    container.data.engine_dir.mkdir()
    states = {name: {"state": state, "percent": 100, "text": ""} for name, state in told.items()}
    (container.data.engine_dir / "environments.json").write_text(json.dumps(states))
    assert container.follow_labs(threading.Event()) is there


def test_labs_that_are_being_built_are_shown_until_the_end_is_near(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    container = engine.Engine(places.Data(tmp_path))
    ended = threading.Event()
    monkeypatch.setattr(say, "_shown", {})
    states = [{"docker": {"state": "building", "percent": 42, "text": ""}}, {}]

    def labs() -> dict[str, dict[str, object]]:
        if len(states) == 1:
            ended.set()
        return states.pop(0)

    monkeypatch.setattr(container, "labs", labs)
    assert not container.follow_labs(ended)
    assert "실습 이미지: 42%" in capsys.readouterr().out


def test_engine_without_labs_has_none_to_wait_for(tmp_path: Path) -> None:
    assert engine.Engine(places.Data(tmp_path), labs=False).follow_labs(threading.Event())


def test_dockerfile_stages_are_renamed_and_their_config_kept() -> None:
    text = (
        "FROM debian:trixie-slim AS go\nRUN a \\\n  && b\n"
        "FROM debian:trixie-slim\nCOPY --from=go /x /x\nENV A=1 \\\n  B=2\nENTRYPOINT [\"/x\"]\n"
    )  # fmt: skip
    renamed, config = dockerfile.stages_of("python", text)
    assert renamed == (
        "FROM debian:trixie-slim AS python-go\nRUN a \\\n  && b\n"
        "FROM debian:trixie-slim AS python\nCOPY --from=python-go /x /x\nENV A=1 \\\n  B=2\nENTRYPOINT [\"/x\"]"
    )  # fmt: skip
    assert config == ["ENV A=1 B=2", 'ENTRYPOINT ["/x"]']


def test_image_made_of_another_one_names_its_stage_and_keeps_its_settings(tmp_path: Path) -> None:
    files = {
        "labs/base": "FROM debian:trixie-slim AS go\nFROM debian:trixie-slim\nCOPY --from=go /x /x\n"
        'ENV A=1\nENTRYPOINT ["/x"]\n',
        "labs/more": "FROM naru-base:latest\nCOPY --from=naru-base:latest /y /y\nENV B=2\n",
    }
    for folder, text in files.items():
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "Dockerfile").write_text(text)
    catalogue = "environments:\n" + "".join(
        f"  {name}:\n    kind: lab\n    image: naru-{name}\n    build: labs/{name}\n" for name in ("base", "more")
    )
    empty = "\n".join([*dockerfile.STAGES, *dockerfile.COPIES]) + "\n"
    made = dockerfile.assemble(empty, catalogue, tmp_path)
    assert "FROM base AS more\nCOPY --from=base /y /y\n" in made
    settings = [line for line in made.splitlines() if "naru-more.config" in line]
    assert settings == [
        """    && printf '%s\\n' 'ENV A=1' 'ENTRYPOINT ["/x"]' 'ENV B=2' >/labs/images/naru-more.config"""
        " && echo more >/labs/images/naru-more.environment"
    ]


def test_report_counts_every_outcome(tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    report.write_text('<testsuites><testsuite tests="9" failures="2" errors="1" skipped="1"/></testsuites>')
    assert check.counts(report) == (5, 3, 1)
    assert check.counts(tmp_path / "absent.xml") == (0, 0, 0)
