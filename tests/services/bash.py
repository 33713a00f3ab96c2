"""A real bash on a pty of this machine, spoken to over a socket as a lab's shell is."""

from __future__ import annotations

import os
import select
import socket
import subprocess
import threading
from pathlib import Path


class BashShell:
    """``socket`` as Shell has it; ``hang_up`` ends it."""

    def __init__(self, folder: Path) -> None:
        self.socket, self._inner = socket.socketpair()
        self.socket.setblocking(False)
        self._master, slave = os.openpty()
        environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "TERM": "xterm-256color", "PS1": "$ "}
        self.process = subprocess.Popen(
            ["bash", "--norc", "-i"],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            cwd=folder,
            env={**environment, "PROMPT_COMMAND": "history -a"},
            start_new_session=True,
        )
        os.close(slave)
        self._thread = threading.Thread(target=self._carry, daemon=True)
        self._thread.start()

    def _carry(self) -> None:
        """Bytes both ways until the shell or the other side ends."""
        try:
            while True:
                ready, _, _ = select.select([self._master, self._inner], [], [])
                if self._master in ready:
                    self._inner.sendall(os.read(self._master, 65536))
                if self._inner in ready:
                    data = self._inner.recv(65536)
                    if not data:
                        return
                    os.write(self._master, data)
        except OSError:
            return  # the shell has exited
        finally:
            self._inner.close()

    def hang_up(self) -> None:
        self.socket.close()
        self.process.kill()
        self.process.wait(10)
        self._thread.join(10)
        os.close(self._master)
