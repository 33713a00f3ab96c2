"""What each probe asks a lab, and how its answer is read and shown."""

from __future__ import annotations

from typing import Any

import pytest

from lessons import graders
from lessons.contracts import Ask, Evidence, Grade, Limits, NeedMore, Place, ProbeSpec, VarSpec
from lessons.graders.registry import ASK_PROBES, validate_probe
from tests.graders.helpers import check, exercise
from tests.graders.labs import BUILT, RUNNING, WEB, graded, lab, request, running, seen

DRAWN = (VarSpec("n", "int", 7, 7),)


def planned(type: str, value: Any, **given: Any) -> Ask:
    spec = lab(running(), probes=(ProbeSpec("p", type, value),), vars=DRAWN, **given)
    return graders.plan(spec, {}, 1).asks["p"]


@pytest.mark.parametrize(
    ("type", "value", "tool", "request_text"),
    [
        ("docker", {"object": "image", "name": "shop:{{n}}"}, "docker", '{"name": "shop:7", "object": "image"}'),
        (
            "registry",
            {"repository": "naru/shop"},
            "registry",
            '{"reference": "latest", "repository": "naru/shop"}',
        ),
        (
            "exec",
            ["on", "server", "echo", "{{n}}", 8],
            "exec",
            '{"argv": ["on", "server", "echo", "7", "8"], "output_kb": 64, "seconds": 10}',
        ),
        (
            "http",
            {"url": "http://127.0.0.1:8080/{{n}}", "from": "container web", "headers": {"Host": "{{n}}.shop"}},
            "http",
            '{"every_ms": 0, "from": "web", "headers": {"Host": "7.shop"}, "method": "GET", "seconds": 3.0, '
            '"times": 1, "url": "http://127.0.0.1:8080/7"}',
        ),
        ("events", {"filter": {"event": ["die", "kill"]}}, "events", '{"filter": {"event": ["die", "kill"]}}'),
    ],
)
def test_probe_asks_its_tool_with_what_was_drawn(type: str, value: Any, tool: str, request_text: str) -> None:
    ask = planned(type, value)
    assert (ask.tool, ask.request) == (tool, request_text)
    assert ask.place == (Place.RECORD if type == "events" else Place.LAB)


def test_engine_is_the_first_host_unless_the_probe_names_one() -> None:
    probes = (WEB, ProbeSpec("q", "docker", {**WEB.value, "engine": "server"}))
    plan = graders.plan(lab(running(), probes=probes, engines=("laptop", "server")), {}, 1)
    assert [request(plan, name)["engine"] for name in ("p", "q")] == ["laptop", "server"]
    assert "engine" not in request(graders.plan(lab(running()), {}, 1), "p")


def test_question_has_more_time_than_what_it_asks_for() -> None:
    assert planned("exec", ["true"], limits=Limits(seconds=30)).seconds > 30
    assert planned("http", {"url": "http://a/", "seconds": 20}).seconds > 20


def test_build_takes_the_answer_the_probes_files_and_what_was_drawn() -> None:
    value = {
        "context": "answer",
        "build_args": {"V": "{{n}}"},
        "edit": {"main.py": "print({{n}})"},
        "run": ["python3", "main.py", "{{n}}"],
        "leaks": ["key-{{n}}"],
    }
    probe = ProbeSpec("p", "build", value, files={".env": "{{n}}"}, stdin="{{n}}\n")
    spec = exercise(
        running(), probes=(probe,), vars=DRAWN, editable=("Dockerfile",), starter={"Dockerfile": "", "a": "b"}
    )
    plan = graders.plan(spec, {"Dockerfile": "FROM {{n}}", "evil": "x"}, 1)
    asked = request(plan, "p")
    assert asked["files"] == {"Dockerfile": "FROM {{n}}", "a": "b", ".env": "7"}
    assert asked["run"] == ["python3", "main.py", "7"]
    assert (asked["edit"], asked["build_args"], asked["leaks"]) == ({"main.py": "print(7)"}, {"V": "7"}, ["key-7"])
    assert (asked["stdin"], asked["seconds"]) == ("7\n", 120.0)
    assert (plan.asks["p"].place, plan.asks["p"].environment) == (Place.FRESH, "docker")


@pytest.mark.parametrize(
    ("type", "value", "field"),
    [
        ("docker", "web", ""),
        ("docker", {"object": "pod", "name": "web"}, "object"),
        ("docker", {"object": "container"}, "name"),
        ("docker", {"object": "container", "name": "a b"}, "name"),
        ("docker", {"object": "container", "name": "web", "nmae": "x"}, "nmae"),
        ("docker", {"object": "container", "name": "web", "engine": ["a"]}, "engine"),
        ("events", {"filter": ["die"]}, "filter"),
        ("events", {"filter": {"evnt": "die"}}, "filter.evnt"),
        ("events", {"filter": {"event": []}}, "filter.event"),
        ("registry", {"repository": "registry.naru:5000/shop"}, "repository"),
        ("registry", {}, "repository"),
        ("registry", {"repository": "shop", "reference": ""}, "reference"),
        ("registry", {"repository": "shop", "reference": "a b"}, "reference"),
        ("http", {"url": "http://a/", "from": "container lab"}, "from"),
        ("http", {"url": "https://a/"}, "url"),
        ("http", {"url": "http://a/", "from": "pod Web"}, "from"),
        ("http", {"url": "http://a/", "from": "web"}, "from"),
        ("http", {"url": "http://a/", "method": "get"}, "method"),
        ("http", {"url": "http://a/", "times": 0}, "times"),
        ("http", {"url": "http://a/", "every_ms": 0.5}, "every_ms"),
        ("http", {"url": "http://a/", "times": 200, "every_ms": 5000}, "times"),
        ("http", {"url": "http://a/", "headers": {"a b": "c"}}, "headers.a b"),
        ("http", {"url": "http://a/", "headers": {"Host": "c\r\nX: y"}}, "headers.Host"),
        ("exec", "docker ps", ""),
        ("exec", [], ""),
        ("exec", ["docker", {"a": 1}], "1"),
        ("build", ["docker", "build"], ""),
        ("build", {"context": "app"}, "context"),
        ("build", {"context": "/root/../etc"}, "context"),
        ("build", {"run": "python3 main.py"}, "run"),
        ("build", {"run": ["python3", None]}, "run.1"),
        ("build", {"edit": {"../x": "a"}}, "edit.../x"),
        ("build", {"edit": ["a"]}, "edit"),
        ("build", {"leaks": []}, "leaks"),
        ("build", {"seconds": 9000}, "seconds"),
    ],
)
def test_probe_validate_names_the_field(type: str, value: Any, field: str) -> None:
    assert [fault.field for fault in validate_probe(type, value)] == [field]
    assert all(fault.message and fault.fix for fault in validate_probe(type, value))


@pytest.mark.parametrize(
    ("type", "value"),
    [
        ("docker", {"object": "volume", "name": "data-{{n}}", "engine": "server"}),
        ("events", {}),
        ("registry", {"repository": "naru/{{n}}", "reference": "sha256:" + "a" * 64}),
        ("http", {"url": "http://web:80/", "from": "container web", "times": 20, "every_ms": 50}),
        ("exec", ["docker", "ps"]),
        ("build", {"context": "/root/app", "run": ["python3", "main.py"], "seconds": 60}),
    ],
)
def test_probe_validate_takes_what_the_format_has(type: str, value: Any) -> None:
    assert validate_probe(type, value) == []


def test_docker_evidence_is_the_document_and_a_missing_object_is_told() -> None:
    fields = {"query": "State.Status", "equals": "running"}
    assert seen(WEB, RUNNING, fields).passed
    row = seen(WEB, None, fields)
    assert (row.passed, row.found) == (False, "(찾지 못함)")
    assert row.message == "web 컨테이너가 없어요. `docker ps -a` 명령으로 무엇이 있는지 살펴보세요."
    assert (row.show, row.looked_at) == ("docker inspect web", "State.Status")
    assert seen(WEB, None, {"query": "Id", "equals": None}).passed


def test_events_are_filtered_by_host_type_action_and_name() -> None:
    def event(action: str, name: str, host: str = "", **given: Any) -> dict[str, Any]:
        attributes = {"name": name, "image": "nginx:1.28", "exitCode": "3"}
        made = {"Type": "container", "Action": action, "Actor": {"ID": "c" * 64, "Attributes": attributes}}
        return {"host": host, "event": {**made, **given}}

    heard = [event("die", "web"), event("start", "web"), event("die", "db"), event("exec_create: sh", "web")]
    heard.append(event("die", "web", "server", Type="network"))
    cases: list[tuple[dict[str, Any], int]] = [
        ({}, 5),
        ({"filter": {"container": "web", "event": "die"}}, 1),
        ({"filter": {"event": ["die", "start"], "type": "container"}}, 3),
        ({"filter": {"event": "exec_create"}}, 1),
        ({"filter": {"image": "nginx:1.28"}}, 4),
        ({"filter": {"container": "cccccccccccc"}}, 4),
        ({"filter": {"network": "web"}}, 1),
        ({"engine": "server"}, 5),  # those of the lab itself name no host
    ]
    for value, count in cases:
        probe = ProbeSpec("p", "events", value)
        assert seen(probe, heard, {"query": "length(@)", "equals": count}).passed, value
    row = seen(ProbeSpec("p", "events", cases[1][0]), heard, {"query": "[0].Actor.Attributes.exitCode", "equals": "0"})
    assert row.found == "3"
    assert row.show == "docker events --since 1h --until 0s --filter container=web --filter event=die"


def test_registry_evidence_has_digest_config_and_layers_or_is_null() -> None:
    probe = ProbeSpec("p", "registry", {"repository": "shop", "reference": "1"})
    config = {"Cmd": ["sh"]}
    value = {"digest": "sha256:1", "config": config, "layers": [{"size": 3}], "more": 1}
    value["manifest"] = {"config": {"digest": "sha256:2"}}
    assert seen(
        probe, value, {"query": "sort(keys(@))", "equals": ["config", "digest", "image", "layers", "manifest"]}
    ).passed
    assert seen(probe, value, {"query": "config", "equals": "sha256:2"}).passed
    assert seen(probe, value, {"query": "image", "equals": config}).passed
    row = seen(probe, None, {"query": "digest", "contains": "sha256"})
    assert "registry.naru:5000/shop:1 이미지가 없어요" in row.message
    assert row.show.endswith("http://registry.naru:5000/v2/shop/manifests/1")


def test_http_evidence_counts_failures_and_distinct_bodies() -> None:
    probe = ProbeSpec("p", "http", {"url": "http://127.0.0.1:8080/", "times": 4})
    answers = [{"status": 200, "body": body, "ms": 1.5} for body in ("a", "b", "a")]
    assert seen(probe, {"answers": answers, "failed": 1}, {"query": "distinct", "equals": ["a", "b"]}).passed
    assert seen(probe, {"answers": answers}, {"query": "failed", "equals": 1}).passed
    row = seen(probe, {"answers": [], "failed": 4}, {"query": "answers[0].status", "equals": 200})
    assert "대답이 없어요" in row.message
    assert row.show == "curl -i http://127.0.0.1:8080/"


def test_http_from_a_container_is_shown_with_what_every_lab_has() -> None:
    probe = ProbeSpec("p", "http", {"url": "http://db/", "from": "container web"})
    assert "--network container:web busybox:1.37 wget" in seen(probe, {}, {"query": "failed", "equals": 0}).show


def test_exec_evidence_is_read_again_from_what_was_printed() -> None:
    probe = ProbeSpec("p", "exec", ("cat", "x.json"))
    value = {"exit_code": 0, "stdout": '{"a": 1}\n', "lines": "forged", "json": {"a": 2}, "ended": "exit"}
    assert seen(probe, value, {"query": "json.a", "equals": 1}).passed
    assert seen(probe, value, {"query": "lines", "equals": ['{"a": 1}']}).passed
    assert seen(probe, value, {"equals": '{"a": 1}\n'}, "text").show == "cat x.json"


def test_exec_that_takes_too_long_fails_with_its_own_sentence_and_no_limit_verdict() -> None:
    probe = ProbeSpec("p", "exec", ("sleep", "1d"))
    value = {"exit_code": None, "stdout": "", "stderr": "", "ended": "time"}
    result = graded(lab(check("text", {"equals": "7"}, message="더해요."), probes=(probe,)), {"p": value})
    assert result.verdict == "fail"
    assert result.checks[0].message.startswith("확인하는 명령이 10초 안에 끝나지 않았어요.")
    assert result.checks[0].message.endswith("더해요.")


def test_exec_that_fails_says_so_where_the_author_wrote_nothing() -> None:
    value = {"exit_code": 3, "stdout": "", "stderr": "no", "ended": "exit"}
    assert "종료 코드 3" in seen(ProbeSpec("p", "exec", ("false",)), value, {"equals": "7"}, "text").message


BUILD = ProbeSpec("p", "build", {"context": "answer", "run": ["python3", "main.py"]}, environment="docker")


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("built", True),
        ("image.Size", 9),
        ("layers[1].cached", False),
        ("rebuild.layers[?cached] | length(@)", 0),
        ("ran.json.total", 7),
        ("leaked[0].path", "/app/.env"),
        ("ended", "exit"),
    ],
)
def test_build_evidence_has_the_keys_of_the_format(query: str, wanted: Any) -> None:
    assert seen(BUILD, BUILT, {"query": query, "equals": wanted}).passed


def test_build_draws_its_layers_for_checks_that_ask_for_them() -> None:
    row = seen(BUILD, BUILT, {"query": "rebuild.layers[0].cached", "equals": True})
    assert row.picture["layers"][1] == {"command": "COPY . .", "size": 4, "cached": False}
    assert [layer["cached"] for layer in row.picture["rebuild"]] == [False]
    assert seen(BUILD, BUILT, {"query": "ran.exit_code", "equals": 0}).picture == {}
    hidden = ProbeSpec("p", "build", BUILD.value, hidden=True)
    assert seen(hidden, BUILT, {"query": "layers[0].size", "equals": 5}).picture == {}


@pytest.mark.parametrize(
    ("value", "part"),
    [
        ({"built": False, "refused": "그 이미지는 실습에 없어요."}, "그 이미지는 실습에 없어요."),
        ({"built": False, "ended": "time"}, "120초 안에 만들지 못했어요"),
        ({"built": False, "log": "#6 RUN false\nERROR: exit code 1\n#7 end\n"}, "빌드가 남긴 말: ERROR: exit code 1"),
    ],
)
def test_build_that_failed_speaks_alone(value: dict[str, Any], part: str) -> None:
    row = seen(BUILD, value, {"query": "ran.json.total", "equals": 7}, message="합이 {found}이에요.")
    assert not row.passed
    assert part in row.message
    assert "합이" not in row.message


def test_build_that_failed_leaves_the_word_to_the_check_that_asks_for_it() -> None:
    row = seen(BUILD, {"built": False}, {"query": "built", "equals": True}, message="빌드 기록을 보세요.")
    assert row.message == "빌드 기록을 보세요."


def test_build_from_a_folder_of_the_lab_reads_it_first_and_builds_elsewhere() -> None:
    probe = ProbeSpec("p", "build", {"context": "/root/app/"}, environment="docker")
    spec = lab(check("query", {"query": "built", "equals": True}), probes=(probe,))
    plan = graders.plan(spec, {}, 1)
    assert (plan.asks["p"].tool, plan.asks["p"].place) == ("read", Place.LAB)
    assert request(plan, "p")["paths"] == ["/root/app"]
    files = {"/root/app/Dockerfile": "FROM busybox:1.37", "/root/app/bin": None, "/etc/passwd": "x"}
    evidence = Evidence({}, answers={"p": {"files": files}})
    more = graders.judge(spec, plan, evidence)
    assert isinstance(more, NeedMore)
    ((name, ask),) = more.plan.asks.items()
    assert (ask.tool, ask.place) == ("build", Place.FRESH)
    assert request(more.plan, name)["files"] == {"Dockerfile": "FROM busybox:1.37"}
    whole = graders.merge(evidence, Evidence({}, answers={name: BUILT}))
    result = graders.judge(spec, plan, whole)
    assert isinstance(result, Grade)
    assert result.verdict == "pass"
    assert graders.output_rows(spec, plan, whole)[0]["stdout"] == "#5 DONE\n"


def test_output_rows_show_what_builds_and_commands_printed() -> None:
    spec = exercise(check("query", {"query": "built", "equals": True}), probes=(BUILD,))
    rows = graders.output_rows(spec, graders.plan(spec, {}, 1), evidence_of({"p": BUILT}))
    assert [(row["command"], row["stdout"], row["exit_code"]) for row in rows] == [
        ("docker build .", "#5 DONE\n", 0),
        ("python3 main.py", '{"total": 7}\n', 0),
    ]
    probes = (ProbeSpec("p", "exec", ("ls",), stdin="in"), ProbeSpec("q", "exec", ("id",), hidden=True))
    spec = lab(running(), probes=probes)
    value = {"exit_code": 1, "stdout": "out", "stderr": "\x00err", "ended": "time"}
    rows = graders.output_rows(spec, graders.plan(spec, {}, 1), evidence_of({"p": value, "q": value}))
    assert (rows[0]["stdin"], rows[0]["stderr"], rows[0]["ended"], rows[0]["cpu_ms"]) == ("in", "␀err", "time", None)
    assert rows[1] == {"probe": "q", "hidden": True, "ended": "time"}


def evidence_of(answers: dict[str, Any]) -> Evidence:
    return Evidence({}, answers=answers)


@pytest.mark.parametrize("type", ASK_PROBES)
def test_every_probe_of_a_lab_has_a_command_that_reveals_it(type: str) -> None:
    values: dict[str, Any] = {
        "build": {"context": "answer"},
        "docker": {"object": "volume", "name": "data"},
        "events": {},
        "exec": ["ls"],
        "http": {"url": "http://a/", "method": "POST", "body": "x=1", "headers": {"Host": "b"}},
        "kubernetes": {"kind": "Pod", "name": "web"},
        "registry": {"repository": "shop"},
        "traffic": {"http": {"url": "http://a/"}, "since": "setup"},
    }
    assert ASK_PROBES[type].show(planned(type, values[type]))
