"""exercise.yaml of kind lab: hosts, setup, what is kept, what is remembered from the start."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from dataclasses import replace

from lessons.content import answers, rules
from lessons.content.catalogue import Catalogue, LabTraits
from lessons.content.fitting import Setting
from lessons.content.parts import Common, read_environment, read_hints, read_limits, read_programs, refuse_other
from lessons.content.probes import check_places, read_commands, read_probes
from lessons.content.probing import read_checks, read_vars
from lessons.content.reader import Reader
from lessons.contracts import CLUSTER, REGISTRY, ExerciseSpec, Kind, Limits, ProbeSpec, VarSpec
from lessons.graders import registry
from lessons.graders.variables import names_in

SOLUTION = "solution.sh"
KEYS = ("baseline", "engines", "keep", "setup", "starter_on")
_DEFAULTS = Limits(seconds=10.0, memory_mb=512)  # of a question asked of the lab; of the whole lab
_LIMITS = ("seconds", "memory_mb", "output_kb")
_ENGINE = re.compile(r"[a-z][a-z0-9-]{0,19}")
HOME = "/root"
_NEVER_KEPT = ("/proc", "/sys", "/dev", "/naru", "/run", "/tmp", "/var/lib/docker")  # noqa: S108 - names in a lab


def read_lab(common: Common, files: Mapping[str, str], reader: Reader, catalogue: Catalogue | None) -> ExerciseSpec:
    catalogue = catalogue or Catalogue({}, checks=False)
    labs = catalogue.lab_names
    environment = read_environment(reader, labs, rules.DEFAULT_LAB)
    traits = catalogue.traits.get(environment)
    variables = read_vars(reader)
    engines = _engines(reader, environment, traits)
    names = frozenset(spec.name for spec in variables)
    later = frozenset(spec.name for spec in variables if spec.per_attempt)
    setting = Setting(Kind.LAB, environment, names, labs=labs, engines=engines, traits=traits, later=later)
    probes = read_probes(reader, setting)
    limits = _limits(reader, catalogue, environment)
    starter = answers.read_folder(files, "starter/", reader.problems)
    setup = read_commands(reader, "setup")
    check_places(reader, ["setup"], names, later)
    baseline = _baseline(reader, probes, variables)
    programs = read_programs(files, reader)
    checks = read_checks(reader, Kind.LAB, probes, variables, starter, programs=programs, baseline=baseline)
    hints, solution_after = read_hints(reader, checks)
    starter_on = reader.word("starter_on", engines) if engines or reader.has("starter_on") else ""
    keep = _keep(reader, environment, traits)
    refuse_other(reader, ("editable", "questions"), "lab", "run이나 quiz")
    reader.finish()
    return ExerciseSpec(
        slug=common.slug,
        title=common.title,
        kind=Kind.LAB,
        prompt=common.prompt,
        environment=environment,
        limits=limits,
        vars=variables,
        probes=probes,
        checks=checks,
        hints=hints,
        solution_after=solution_after,
        starter=starter,
        solution=answers.read_solution(files, reader.problems, (SOLUTION,), {}),
        wrong=answers.read_wrong(files, reader.problems, checks, (SOLUTION,), {}),
        programs=programs,
        engines=engines,
        starter_on=starter_on,
        setup=setup,
        keep=keep,
        baseline=baseline,
    )


def _limits(reader: Reader, catalogue: Catalogue, environment: str) -> Limits:
    given = reader.mapping("limits")
    for key in set(rules.LIMITS) - set(_LIMITS):
        if given.raw(key) is not None:
            given.problem(key, "lab에는 쓰지 않는 한계예요.", f"{', '.join(_LIMITS)}만 적을 수 있어요.")
            given.values.pop(key)
    traits = catalogue.traits.get(environment)
    defaults = replace(_DEFAULTS, memory_mb=traits.memory_mb) if traits else _DEFAULTS
    return read_limits(given, catalogue, [environment], defaults)


def _engines(reader: Reader, environment: str, traits: LabTraits | None) -> tuple[str, ...]:
    found = reader.texts("engines", most=rules.ENGINES)
    if found and traits is not None and (traits.cluster or not traits.engine):
        message = f"{environment} 환경의 실습은 호스트를 나눌 수 없어요."
        reader.problem("engines", message, f"engines를 지우거나 environment를 {rules.DEFAULT_LAB}로 바꿔 주세요.")
    for index, name in enumerate(found):
        if not _ENGINE.fullmatch(name):
            fix = "영문 소문자로 시작해 소문자, 숫자, 붙임표로 20자까지 적어 주세요."
            reader.problem("engines", "호스트의 이름으로 쓸 수 없어요.", fix, index)
        elif name in found[:index]:
            reader.problem("engines", "같은 호스트를 두 번 적었어요.", "하나를 지워 주세요.", index)
    return found


def _keep(reader: Reader, environment: str, traits: LabTraits | None) -> tuple[str, ...]:
    """Paths and words; where nothing is written, all that a lab with a cluster has."""
    if not reader.has("keep") and traits is not None and traits.cluster:
        reader.raw("keep")
        return (CLUSTER, REGISTRY, HOME) if traits.engine else (CLUSTER, HOME)
    found = reader.texts("keep", most=rules.KEEP)
    missing = set()
    if traits is not None:
        missing = {word for word, there in ((CLUSTER, traits.cluster), (REGISTRY, traits.engine)) if not there}
    for index, path in enumerate(found):
        if path in missing:
            what = "클러스터가" if path == CLUSTER else "레지스트리가"
            message = f"{environment} 환경에는 {what} 없어요."
            reader.problem("keep", message, f"{path} 낱말을 지우거나 environment를 바꿔 주세요.", index)
        if path in (CLUSTER, REGISTRY):
            continue
        plain = path.startswith("/") and len(path) <= rules.PATH_LENGTH and "\0" not in path
        if not plain or posixpath.normpath(path) != path.rstrip("/"):
            reader.problem(
                "keep",
                "실습 안의 절대 경로나 cluster, registry가 와야 해요.",
                "keep: [/root/app]처럼 적어 주세요.",
                index,
            )
        elif any(path == never or path.startswith(f"{never}/") for never in _NEVER_KEPT):
            reader.problem("keep", "간직할 수 없는 곳이에요.", "/root 아래의 경로를 적어 주세요.", index)
    return found


def _baseline(reader: Reader, probes: tuple[ProbeSpec, ...], variables: tuple[VarSpec, ...]) -> tuple[str, ...]:
    """Probes that can be asked before the learner arrives: passive ones of the lab itself."""
    found = reader.texts("baseline", most=rules.PROBES)
    later = {spec.name for spec in variables if spec.per_attempt}
    by_id = {probe.id: probe for probe in probes}
    for index, name in enumerate(found):
        probe = by_id.get(name)
        if probe is None:
            fix = f"{', '.join(by_id)} 가운데 하나를 적어 주세요." if by_id else "probes에 프로브를 먼저 적어 주세요."
            reader.problem("baseline", f"{name} 프로브가 없어요.", fix, index)
        elif probe.active or probe.type not in registry.LOOKS:
            fix = f"active가 아닌 {', '.join(sorted(registry.LOOKS))} 프로브를 적어 주세요."
            reader.problem("baseline", f"{name} 프로브는 처음에 볼 수 없어요.", fix, index)
        elif later & names_in([probe.value, probe.stdin]):
            fix = "per: attempt가 아닌 변수를 쓰세요."
            reader.problem("baseline", f"{name} 프로브는 채점할 때마다 뽑는 값을 써요.", fix, index)
    return found
