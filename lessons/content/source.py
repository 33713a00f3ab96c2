"""A course on disk or in a zip as path -> bytes, with nothing followed and everything bounded."""

from __future__ import annotations

import os
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from lessons.content import rules
from lessons.content.errors import ContentError, Problems
from lessons.contracts import Problem

_END_OF_ZIP = b"PK\x05\x06"
_ENCRYPTED = 0x1
_LINK_FIX = "링크 대신 파일을 그대로 넣어 주세요."
_PATH_FIX = "이름을 바꾸거나 빼 주세요."


def read_source(source: Path) -> dict[str, bytes]:
    """Every file of the course under ``source`` (a folder or a .zip). Raises ContentError."""
    if source.is_dir():
        return _read_folder(source)
    if not source.is_file():
        raise _fault(source.name, "과정 폴더나 zip 파일을 찾을 수 없어요.", "경로를 확인해 주세요.")
    try:
        return _strip_folder(_read_zip(source))
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, NotImplementedError, ValueError) as error:
        raise _fault(source.name, "zip 파일이 깨졌거나 읽을 수 없는 꼴이에요.", "zip을 다시 만들어 주세요.") from error


def _fault(file: str, message: str, fix: str, field: str = "file") -> ContentError:
    return ContentError([Problem(_printable(file), None, field, message, fix)])


def _printable(name: str) -> str:
    return re.sub(r"[^ -~가-힣]", "?", name)[: rules.PATH_LENGTH] or "?"


def _too_many(name: str) -> ContentError:
    return _fault(name, f"파일이 {rules.COURSE_FILES}개보다 많아요.", "과정에 필요한 파일만 남겨 주세요.")


def _too_large(name: str) -> ContentError:
    return _fault(name, f"과정이 {rules.COURSE_BYTES // rules.MB} MB보다 커요.", "큰 파일을 빼 주세요.")


def _ignored(path: str) -> bool:
    return any(part in rules.IGNORED_PARTS or part.endswith(("~", ".pyc", ".swp")) for part in path.split("/"))


# folders


def _read_folder(root: Path) -> dict[str, bytes]:
    problems = Problems()
    found: dict[str, bytes] = {}
    total = 0
    for path, entry in _walk(root, root, problems):
        if fault := rules.path_fault(path):
            problems.add(_printable(path), None, "file", fault, _PATH_FIX)
            continue
        data = _read_regular(entry, min(_file_cap(path), rules.COURSE_BYTES - total))
        if data is None:
            if total + _file_cap(path) >= rules.COURSE_BYTES:
                raise _too_large(root.name)
            problems.add(path, None, "file", "읽을 수 없거나 너무 큰 파일이에요.", "권한과 크기를 확인해 주세요.")
            continue
        total += len(data)
        found[path] = data
    problems.raise_any()
    return found


def _walk(root: Path, folder: Path, problems: Problems) -> Iterator[tuple[str, Path]]:
    """Files under ``folder``; links and special files become problems, nothing is followed."""
    waiting, count = [folder], 0
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in entries:
                count += 1
                if count > rules.COURSE_FILES:
                    raise _too_many(root.name)
                path = Path(entry.path).relative_to(root).as_posix()
                if _ignored(path):
                    continue
                if entry.is_symlink():
                    problems.add(_printable(path), None, "file", "링크는 쓸 수 없어요.", _LINK_FIX)
                elif entry.is_dir(follow_symlinks=False):
                    if path.count("/") < rules.PATH_DEPTH:
                        waiting.append(Path(entry.path))
                    else:
                        problems.add(_printable(path), None, "file", "폴더가 너무 깊어요.", _PATH_FIX)
                elif entry.is_file(follow_symlinks=False):
                    yield path, Path(entry.path)
                else:
                    problems.add(
                        _printable(path), None, "file", "보통 파일이 아니에요.", "파이프나 장치 파일을 빼 주세요."
                    )


def _read_regular(path: Path, cap: int) -> bytes | None:
    """The bytes of a regular file of at most ``cap`` bytes, else None. Never follows a link, never waits."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode) or status.st_size > cap:
            return None
        data = file.read(cap + 1)
    return data if len(data) <= cap else None


def _file_cap(path: str) -> int:
    return rules.PNG_BYTES if path.endswith(".png") else max(rules.SVG_BYTES, rules.MARKDOWN_BYTES)


# zips


def _read_zip(source: Path) -> dict[str, bytes]:
    if source.stat().st_size > rules.ZIP_BYTES:
        raise _fault(source.name, f"zip이 {rules.ZIP_BYTES // rules.MB} MB보다 커요.", "큰 파일을 빼 주세요.")
    _check_index(source)
    problems = Problems()
    found: dict[str, bytes] = {}
    total = 0
    with zipfile.ZipFile(source) as archive:
        entries = archive.infolist()
        if len(entries) > rules.COURSE_FILES:
            raise _too_many(source.name)
        for entry in entries:
            name = entry.filename
            if fault := _entry_fault(entry):
                problems.add(_printable(entry.orig_filename), None, "zip", *fault)
                continue
            if entry.is_dir() or _ignored(name):
                continue
            if name in found:
                problems.add(name, None, "zip", "같은 이름의 파일이 두 번 들어 있어요.", "zip을 다시 만들어 주세요.")
                continue
            cap = min(_file_cap(name), rules.COURSE_BYTES - total)
            with archive.open(entry) as stream:
                data = stream.read(cap + 1)
            total += len(data)
            if total > rules.COURSE_BYTES:
                raise _too_large(source.name)
            if len(data) > cap:
                problems.add(name, None, "zip", "풀면 너무 큰 파일이에요.", "크기를 줄여 주세요.")
                continue
            found[name] = data
    problems.raise_any()
    return found


def _check_index(source: Path) -> None:
    """Refuse by the zip's own word before its index is parsed: 100,000 names would take seconds."""
    size = source.stat().st_size
    with source.open("rb") as file:
        file.seek(max(0, size - 65_557))
        tail = file.read()
    at = tail.rfind(_END_OF_ZIP)
    if at < 0 or len(tail) - at < 22:
        raise zipfile.BadZipFile
    entries, index_size = struct.unpack("<HI", tail[at + 10 : at + 16])
    if entries > rules.COURSE_FILES or index_size > rules.ZIP_INDEX_BYTES:
        raise _too_many(source.name)


def _entry_fault(entry: zipfile.ZipInfo) -> tuple[str, str] | None:
    """Why an entry cannot be taken: (message, fix), before a byte of it is unpacked."""
    mode = entry.external_attr >> 16
    if stat.S_IFMT(mode) == stat.S_IFLNK:
        return "zip 안의 링크는 쓸 수 없어요.", _LINK_FIX
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "보통 파일이 아니에요.", "파이프나 장치 파일을 빼 주세요."
    if "\0" in entry.orig_filename or (fault := rules.path_fault(entry.orig_filename.rstrip("/"))):
        if _ignored(entry.orig_filename) and ".." not in entry.orig_filename:
            return None
        return fault if "\0" not in entry.orig_filename else "이름에 NUL이 있어요.", _PATH_FIX
    if entry.flag_bits & _ENCRYPTED:
        return "암호가 걸린 zip은 읽을 수 없어요.", "암호 없이 zip을 다시 만들어 주세요."
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return "이 압축 방식은 읽을 수 없어요.", "보통 방식(deflate)으로 zip을 만들어 주세요."
    if entry.file_size > rules.ZIP_RATIO_FROM and entry.file_size > rules.ZIP_RATIO * max(1, entry.compress_size):
        return "압축률이 지나치게 높아요(zip 폭탄일 수 있어요).", "그 파일을 빼 주세요."
    return None


def _strip_folder(found: dict[str, bytes]) -> dict[str, bytes]:
    """Zips often hold one folder with the course inside: that folder is the course."""
    if "course.yaml" in found:
        return found
    tops = {path.split("/", 1)[0] for path in found}
    top = tops.pop() if len(tops) == 1 else ""
    if f"{top}/course.yaml" not in found:
        return found
    return {path.partition("/")[2]: data for path, data in found.items()}
