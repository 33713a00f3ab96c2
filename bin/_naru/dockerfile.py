"""The engine's Dockerfile carries the images of runs and labs: their own Dockerfiles, copied in as build stages.

One file that any Docker builds, with no order between images to keep. Each ``labs/<name>/Dockerfile`` stays the
source; ``python bin/_naru dockerfile`` writes their stages between the marks, and a test compares. An image may be
made of another one: it names it by its tag (``FROM naru-docker:latest``), which stands further up in the catalogue.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from _naru.places import ROOT

TARGET = ROOT / "labs" / "engine" / "Dockerfile"
CATALOGUE = ROOT / "labs" / "catalogue.yaml"
STAGES = ("# >>> images, copied from labs/*/Dockerfile by `python bin/_naru dockerfile`", "# <<< images")
COPIES = ("# >>> their root file systems, likewise", "# <<< root file systems")
CONFIG = ("ENTRYPOINT", "CMD", "ENV", "USER", "WORKDIR", "LABEL")
# Package lists, caches and manuals are of no use in a run, and a smaller image is imported sooner.
UNPACKED = ("rootfs.tar.gz", "var/cache/apt/*", "var/lib/apt/lists/*", "usr/share/doc/*", "usr/share/man/*")
PACK = (
    "RUN tar --one-file-system --sort=name "
    + " ".join(f"--exclude='./{path}'" for path in UNPACKED)
    + " -C / -cf - . | gzip -1 -n >/rootfs.tar.gz"
)


@dataclass(frozen=True)
class Environment:
    """An entry of the catalogue. ``folder``: where its image lies in the engine's image; labs are imported later."""

    name: str
    image: str
    build: str
    kind: str = "run"

    @property
    def folder(self) -> str:
        return "/images" if self.kind == "run" else "/labs/images"


def environments(catalogue: str) -> list[Environment]:
    """What the catalogue lists. It is YAML, but nothing may be installed yet: read the flat lines."""
    found: dict[str, dict[str, str]] = {}
    name = ""
    for line in catalogue.splitlines():
        if match := re.fullmatch(r"  ([a-z0-9-]+):\s*", line):
            name = match[1]
            found[name] = {}
        elif name and (match := re.fullmatch(r"    (image|build|kind): *(\S+)\s*", line)):
            found[name][match[1]] = match[2]
    return [Environment(name, **entry) for name, entry in found.items()]


def stages_of(name: str, text: str, others: Mapping[str, str] | None = None) -> tuple[str, list[str]]:
    """An image's Dockerfile with stages renamed to ``<name>-…`` (the last: ``<name>``), and its config lines.

    ``others`` maps the tags of images that come before it to their stages.
    """
    lines = [line for line in text.replace("\\\n", "\\\0").splitlines() if not line.startswith("# syntax")]
    froms = [index for index, line in enumerate(lines) if line.upper().startswith("FROM ")]
    if not froms:
        raise ValueError(f"labs/{name}/Dockerfile: no FROM")
    own_stages = {match[1] for line in lines if (match := re.match(r"(?i)FROM\s+.*\s+AS\s+(\S+)\s*$", line))}
    stages = {stage: f"{name}-{stage}" for stage in own_stages} | dict(others or {})
    config: list[str] = []
    for index, line in enumerate(lines):
        if index in froms:
            base = stages.get(line.split()[1], line.split()[1])
            own = re.search(r"(?i)\sAS\s+(\S+)\s*$", line)
            stage = name if index == froms[-1] else f"{name}-{own[1]}" if own else f"{name}-{index}"
            lines[index] = f"FROM {base} AS {stage}"
        elif match := re.match(r"(COPY\s+(?:--\S+\s+)*--from=)(\S+)(.*)", line, re.DOTALL):
            lines[index] = f"{match[1]}{stages.get(match[2], match[2])}{match[3]}"
        if index > froms[-1] and line.split(" ")[0] in CONFIG:
            config.append(re.sub(r"\\\0\s*", "", line))
    return "\n".join(lines).replace("\\\0", "\\\n").strip(), config


def assemble(current: str, catalogue: str, folder: Path = ROOT) -> str:
    """The engine's Dockerfile with its two generated parts written anew."""
    stages, copies = [], []
    before: dict[str, str] = {}
    inherited: dict[str, list[str]] = {}
    for one in environments(catalogue):
        source = (folder / one.build / "Dockerfile").read_text()
        text, config = stages_of(one.name, source, before)
        parents = [inherited[base] for base in re.findall(r"^FROM (\S+)", source, re.MULTILINE)[-1:] if base in before]
        config = [*parents[0], *config] if parents else config  # an imported image has no parent to take it from
        before[f"{one.image}:latest"] = one.name
        inherited[f"{one.image}:latest"] = config
        stages += [text, "", f"FROM {one.name} AS {one.name}-rootfs", "USER 0:0", PACK, ""]
        place = f"{one.folder}/{one.image}"
        written = " ".join(shlex.quote(line) for line in config)
        config_from = f"printf '%s\\n' {written}" if config else ":"
        copies += [
            f"COPY --from={one.name}-rootfs /rootfs.tar.gz {place}.tar.gz",
            f"RUN sha256sum <{place}.tar.gz | cut -c1-64 >{place}.key \\",
            f"    && {config_from} >{place}.config",
        ]
        if one.kind == "lab":
            copies[-1] += f" && echo {one.name} >{place}.environment"
    return _between(_between(current, STAGES, stages), COPIES, copies)


def _between(text: str, marks: tuple[str, str], lines: list[str]) -> str:
    head, rest = text.split(marks[0] + "\n", 1)
    _, tail = rest.split(marks[1] + "\n", 1)
    return "\n".join([head + marks[0], *lines, marks[1]]) + "\n" + tail


def main(arguments: list[str]) -> int:
    TARGET.write_text(assemble(TARGET.read_text(), CATALOGUE.read_text()))
    return 0
