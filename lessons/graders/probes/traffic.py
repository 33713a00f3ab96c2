"""probe ``traffic``: requests that go on while something happens, and how many of them were answered.

    {http: {url, from, method, headers, every_ms}, while: [argv, …], undo: [argv, …], watch: [probe ids], seconds}
    {http: {…}, since: setup}     recorded outside the learner's reach for as long as the lab lives

The first form runs the commands and is taken on grading only; ``watch`` names probes that are asked before and after.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from lessons.contracts import Ask, Ended, ExerciseSpec, Place, ProbeSpec
from lessons.graders.evidence import list_of, mapping_of, number_of, output_of, text_of, whole_of
from lessons.graders.fields import Fault, unknown_fields
from lessons.graders.interfaces import AskProbe, Told
from lessons.graders.probes import run
from lessons.graders.probes.asking import make, number_faults, object_faults, request_of, written
from lessons.graders.probes.http import command_of, target_faults, target_of
from lessons.graders.wording import LINE_MOST, plain

SETUP = "setup"
TARGET = frozenset({"url", "from", "method", "headers", "every_ms"})
EVERY_MS, EVERY_LEAST, EVERY_MOST = 100, 10, 5_000
SECONDS, SECONDS_MOST = 60.0, 120.0  # of all commands together
COMMANDS_MOST = 10
WATCH_MOST = 10
GRACE_SECONDS = 15.0  # what goes on around the commands: a moment before and after, and what is watched
UNDO_SECONDS = 30.0

DISTINCT_MOST = 20
ANSWER_MOST = 200  # letters of one
BUCKETS_MOST = 300
BUCKET_ANSWERS_MOST = 8  # of one bucket, by their first letters
BUCKET_ANSWER_MOST = 60
DRAWN_BUCKETS = 120
_EXAMPLE = 'traffic: {http: {url: "http://shop/", from: pod client}, while: [["kubectl", "delete", "pod", "web"]]}'


class Traffic(AskProbe):
    """``looks``: the types of probes that can be watched, whose tools have their names."""

    FIELDS = frozenset({"http", "while", "undo", "watch", "seconds", "since"})
    DRAWN = frozenset({"sent", "failed", "distinct", "timeline"})

    def __init__(self, looks: Mapping[str, AskProbe]) -> None:
        self.looks = looks

    def validate(self, value: Any) -> list[Fault]:
        found = object_faults(value, self.FIELDS, _EXAMPLE)
        if not isinstance(value, Mapping):
            return found
        found += [fault._replace(field=f"http.{fault.field}".rstrip(".")) for fault in _target_faults(value)]
        if "since" in value:
            return found + list(_since_faults(value))
        if not value.get("while"):
            fix = f"{_EXAMPLE}처럼 while을 적거나, 실습하는 내내 보낸다면 since: setup을 적어 주세요."
            found.append(Fault("while", "요청을 보내는 동안 할 명령이 없어요.", fix))
        for name in ("while", "undo"):
            found += _commands_faults(value.get(name) or [], name)
        watch = value.get("watch", [])
        if not isinstance(watch, list) or not all(isinstance(one, str) for one in watch) or len(watch) > WATCH_MOST:
            fix = f"watch: [pods]처럼 {WATCH_MOST}개까지 적어 주세요."
            found.append(Fault("watch", "프로브 id의 목록이 와야 해요.", fix))
        if "seconds" in value:
            found += number_faults(value["seconds"], "seconds", 1, SECONDS_MOST)
        return found

    def plan_ask(
        self, probe: ProbeSpec, exercise: ExerciseSpec, files: Mapping[str, str], variables: Mapping[str, int | str]
    ) -> Ask:
        value = probe.value
        target = stream_of(probe, variables)
        if value.get("since") == SETUP:
            return make("stream", {"id": probe.id, "http": target}, place=Place.RECORD)
        by_id = {one.id: one for one in exercise.probes}
        watched = {
            name: self.looks[by_id[name].type].plan_ask(by_id[name], exercise, files, variables)
            for name in value.get("watch") or []
        }
        seconds = float(value.get("seconds", SECONDS))
        request = {
            "http": target,
            "while": [list(run.argv_of(argv, variables)) for argv in value["while"]],
            "undo": [list(run.argv_of(argv, variables)) for argv in value.get("undo") or []],
            "watch": {
                name: {"tool": ask.tool, "request": request_of(ask), "seconds": ask.seconds}
                for name, ask in watched.items()
            },
            "seconds": seconds,
        }
        around = 2 * sum(ask.seconds for ask in watched.values()) + (UNDO_SECONDS if request["undo"] else 0)
        return make("traffic", request, seconds=seconds + GRACE_SECONDS + around)

    def document(self, value: Any, ask: Ask) -> Any:
        """``failed`` is null where nothing was sent: then nobody can say that all were answered."""
        found = value if isinstance(value, Mapping) else {}
        sent = max(whole_of(found.get("sent")) or 0, 0)
        return {
            "sent": sent,
            "failed": min(max(whole_of(found.get("failed")) or 0, 0), sent) if sent else None,
            "distinct": [text_of(one)[:ANSWER_MOST] for one in list_of(found.get("distinct"))[:DISTINCT_MOST]],
            "timeline": timeline_of(found.get("timeline")),
            "before": self._seen(found.get("before"), ask),
            "after": self._seen(found.get("after"), ask),
            "commands": [output_of(row) for row in list_of(found.get("commands")) if isinstance(row, dict)],
        }

    def _seen(self, answers: Any, ask: Ask) -> dict[str, Any]:
        """Watched probe -> its evidence, each of its own type's shape."""
        given = answers if isinstance(answers, Mapping) else {}
        seen = {}
        for name, asked in request_of(ask).get("watch", {}).items():
            look = Ask(asked["tool"], written(asked["request"]))
            seen[name] = self.looks[look.tool].document(given.get(name), look)
        return seen

    def told(self, document: Any, ask: Ask, looked_at: str) -> Told:
        request = request_of(ask)
        for argv, done in zip(request.get("while", []), document["commands"], strict=False):
            if done["exit_code"]:
                command, code = plain(shlex.join(argv))[:LINE_MOST], done["exit_code"]
                said = f"확인하면서 한 `{command}` 명령이 오류로 끝났어요(종료 코드 {code})."
                return Told(first=said, alone=not document["sent"])
        if not document["sent"]:
            said = f"아직 {request['http']['url']} 주소로 보낸 요청이 없어요. 잠시 뒤에 다시 채점해 보세요."
            return Told(first=said, alone=True)
        if looked_at != "failed":
            return Told()
        asked = f"요청 {document['sent']}개 가운데 {document['failed']}개가 대답을 받지 못했어요."
        return Told(instead=f"{asked} 준비된 Pod가 하나도 없던 때가 있었는지 살펴보세요.")

    def show(self, ask: Ask) -> str:
        return command_of(request_of(ask)["http"])

    def output(self, document: Any, ask: Ask) -> list[dict[str, Any]]:
        rows = []
        for number, (argv, done) in enumerate(
            zip(request_of(ask).get("while", []), document["commands"], strict=False), start=1
        ):
            told = {name: done[name] for name in ("stdout", "stderr", "exit_code")}
            row = {"label": str(number), "command": shlex.join(argv), "stdin": "", **told}
            rows.append({**row, "ended": Ended.EXIT.value})
        return rows

    def picture(self, document: Any) -> dict[str, Any]:
        """{"traffic": {"timeline": [at most DRAWN_BUCKETS], "sent", "failed", "distinct"}}, texts fit to show."""
        if not document["sent"]:
            return {}
        buckets = document["timeline"]
        while len(buckets) > DRAWN_BUCKETS:
            buckets = [together(*buckets[place : place + 2]) for place in range(0, len(buckets), 2)]
        drawn = {
            "timeline": [{**bucket, "answers": _plain_answers(bucket["answers"])} for bucket in buckets],
            "sent": document["sent"],
            "failed": document["failed"],
            "distinct": [plain(one).rstrip("\n") for one in document["distinct"]],
        }
        return {"traffic": drawn}


def stream_of(probe: ProbeSpec, variables: Mapping[str, int | str]) -> dict[str, Any]:
    """The requests of a traffic probe as the lab takes them."""
    value = probe.value["http"]
    target = target_of(value, variables)
    kept = {name: given for name, given in target.items() if given}
    return {**kept, "every_ms": value.get("every_ms", EVERY_MS)}


def timeline_of(value: Any) -> list[dict[str, Any]]:
    """Buckets of a timeline, {"at", "sent", "failed", "answers": {answer: count}} each, within bounds."""
    found = []
    for row in list_of(value)[:BUCKETS_MOST]:
        if not isinstance(row, dict):
            continue
        answers = mapping_of(row.get("answers")) or {}
        found.append(
            {
                "at": number_of(row.get("at")) or 0,
                "sent": _count(row.get("sent")),
                "failed": _count(row.get("failed")),
                "answers": fewest({answer: _count(count) for answer, count in answers.items()}),
            }
        )
    return found


def together(first: Mapping[str, Any], *others: Mapping[str, Any]) -> dict[str, Any]:
    """Neighbouring buckets as one."""
    answers = dict(first["answers"])
    for other in others:
        for answer, count in other["answers"].items():
            answers[answer] = answers.get(answer, 0) + count
    sums = {name: sum(bucket[name] for bucket in (first, *others)) for name in ("sent", "failed")}
    return {"at": first["at"], **sums, "answers": fewest(answers)}


def fewest(answers: Mapping[str, int]) -> dict[str, int]:
    """Counts by the first letters of an answer, the first few of them."""
    found: dict[str, int] = {}
    for answer, count in answers.items():
        short = answer[:BUCKET_ANSWER_MOST]
        if short in found or len(found) < BUCKET_ANSWERS_MOST:
            found[short] = found.get(short, 0) + count
    return found


def _count(value: Any) -> int:
    return min(max(whole_of(value) or 0, 0), 10**9)


def _plain_answers(answers: Mapping[str, int]) -> dict[str, int]:
    return {plain(answer).rstrip("\n"): count for answer, count in answers.items()}


def _target_faults(value: Mapping[str, Any]) -> list[Fault]:
    target = value.get("http")
    if not isinstance(target, Mapping):
        return [Fault("", "어디로 요청을 보낼지 없어요.", f"{_EXAMPLE}처럼 적어 주세요.")]
    found = unknown_fields(target, TARGET) + target_faults(target)
    if "every_ms" in target:
        found += number_faults(target["every_ms"], "every_ms", EVERY_LEAST, EVERY_MOST, whole=True)
    return found


def _since_faults(value: Mapping[str, Any]) -> Iterator[Fault]:
    if value["since"] != SETUP:
        yield Fault("since", "언제부터 보낼지 알 수 없어요.", f"since: {SETUP}처럼 적어 주세요.")
    for name in ("while", "undo", "watch", "seconds"):
        if name in value:
            fix = f"{name} 항목을 지우거나, since를 지우고 active: true를 적어 주세요."
            yield Fault(name, "실습하는 내내 보내는 요청에는 쓰지 않아요.", fix)


def _commands_faults(value: Any, field: str) -> list[Fault]:
    if not isinstance(value, list) or len(value) > COMMANDS_MOST:
        fix = f'{field}: [["kubectl", "delete", "pod", "web"]]처럼 {COMMANDS_MOST}개까지 적어 주세요.'
        return [Fault(field, "명령의 목록이 와야 해요.", fix)]
    return [
        fault._replace(field=f"{field}.{index}.{fault.field}".rstrip("."))
        for index, argv in enumerate(value)
        for fault in run.validate(argv, name="- ")
    ]
