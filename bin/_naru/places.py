"""Where things lie: the checkout, the data directory, the cache, and the engine's socket."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

from _naru.say import Failure

ROOT = Path(__file__).resolve().parent.parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
SOCKET_PATH_MOST = 107  # sun_path holds 108 bytes, the last one a NUL
DATA_LEAST_MB = 300


def cache_dir() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    made = Path(base) / "naru"
    made.mkdir(parents=True, exist_ok=True)
    return made


class Data:
    """A data directory: database, secrets, logs and the engine's socket; nothing of it is in the checkout."""

    def __init__(self, path: Path) -> None:
        self.path = path.expanduser().resolve()
        self.key = hashlib.sha256(str(self.path).encode()).hexdigest()[:12]

    @property
    def engine_name(self) -> str:
        """Name of the engine container and of its volume."""
        return f"naru-engine-{self.key}"

    @property
    def engine_dir(self) -> Path:
        """Where the engine's socket lies: DATA/engine, or a short directory where that path is too long."""
        plain = self.path / "engine"
        if len(os.fsencode(plain / "docker.sock")) <= SOCKET_PATH_MOST:
            return plain
        if os.geteuid() == 0:
            return Path("/run") / f"naru-{self.key}"
        runtime = os.environ.get("XDG_RUNTIME_DIR", "")
        if runtime and len(os.fsencode(runtime)) < SOCKET_PATH_MOST - 40:
            return Path(runtime) / f"naru-{self.key}"
        return Path(f"/tmp/naru-{os.geteuid()}-{self.key}")  # noqa: S108  (private mode and owner are checked below)

    @property
    def socket(self) -> Path:
        return self.engine_dir / "docker.sock"

    def make(self) -> None:
        """Create what is missing; raises Failure when it cannot be written to or has no room."""
        try:
            # Database and logs are for the owner: others of this machine could read sessions in them.
            self.path.mkdir(mode=0o750, parents=True, exist_ok=True)
            (self.path / ".write-test").write_text("")
            (self.path / ".write-test").unlink()
            self._make_engine_dir()
        except OSError as error:
            raise Failure(f"데이터 폴더에 쓸 수 없어요: {self.path} ({error.strerror})") from error
        free_mb = shutil.disk_usage(self.path).free // 2**20
        if free_mb < DATA_LEAST_MB:
            raise Failure(
                f"디스크 공간이 모자라요: {self.path}에 {free_mb} MB만 남았어요. "
                f"{DATA_LEAST_MB} MB 이상 비우고 다시 시작해 주세요."
            )

    def _make_engine_dir(self) -> None:
        directory = self.engine_dir
        directory.mkdir(mode=0o750, exist_ok=True)
        plain = self.path / "engine"
        if directory == plain:
            return
        if directory.is_symlink() or directory.stat().st_uid != os.geteuid():
            raise PermissionError(1, "다른 사용자의 폴더예요", str(directory))
        if not plain.exists():
            plain.symlink_to(directory)  # so that DATA/engine is where the socket is, whatever its length
