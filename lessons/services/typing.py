"""Types a script into a lab's terminal line by line, as a learner would, and waits for each line to end.

The shell is told to announce its prompts by control sequences that nothing typed contains, so that a prompt is told
from output that looks like one. A line that leaves a construct open (a loop, a here-document) is answered by bash's
second prompt, and the next line follows.
"""

from __future__ import annotations

import select
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from lessons.sandbox import Lab, Shell

LINE_SECONDS = 120.0
SCRIPT_SECONDS = 420.0
COLUMNS, ROWS = 160, 40
PIECE = 65536
KEPT = 4000  # bytes of the last output, for a message


class TypingFailed(Exception):
    """A line did not end in time, or the shell ended. ``line``: which, from 1; ``said``: the terminal's last words."""

    def __init__(self, line: int, said: str) -> None:
        super().__init__(line, said)
        self.line, self.said = line, said


class Typist:
    """One terminal with an announcing prompt."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell
        nonce = uuid.uuid4().hex
        self._prompt = f"\x1b]7770;{nonce}\x07".encode()
        self._more = f"\x1b]7771;{nonce}\x07".encode()
        self._nonce = nonce
        self._heard = b""
        self._ends_at = time.monotonic() + SCRIPT_SECONDS

    def begin(self) -> None:
        """Make the prompts announce themselves. Raises TypingFailed."""
        say = f"printf '\\033]7770;{self._nonce}\\007'"
        self._enter(
            f" PROMPT_COMMAND=\"${{PROMPT_COMMAND:+$PROMPT_COMMAND;}}{say}\" PS2='\\e]7771;{self._nonce}\\a> '", 0
        )

    def type(self, script: str, *, after_line: Callable[[], object] = lambda: None) -> None:
        """All lines of the script; ``after_line`` is called when a command has ended. Raises TypingFailed."""
        for number, line in enumerate(script.splitlines(), 1):
            if line.strip() and self._enter(line, number):
                after_line()
            elif not line.strip() and self._is_open:
                self._enter(line, number)

    _is_open = False

    def _enter(self, line: str, number: int) -> bool:
        """Type one line and wait for a prompt; whether the command is complete."""
        self._heard = b""
        self._send(line.replace("\t", "\x16\t").encode() + b"\r", number)  # Ctrl-V: a tab that completes nothing
        until = min(time.monotonic() + LINE_SECONDS, self._ends_at)
        while self._prompt not in self._heard and self._more not in self._heard:
            self._hear(until, number)
        self._is_open = self._prompt not in self._heard
        return not self._is_open

    def _send(self, data: bytes, number: int) -> None:
        until = time.monotonic() + LINE_SECONDS
        while data:
            try:
                data = data[self._shell.socket.send(data) :]
            except BlockingIOError:
                self._hear(until, number)
            except OSError as error:
                raise TypingFailed(number, self.said()) from error

    def _hear(self, until: float, number: int) -> None:
        """Take in what the terminal says. Raises TypingFailed at its end, or when it says nothing until then."""
        left = until - time.monotonic()
        waiting = select.poll()
        waiting.register(self._shell.socket, select.POLLIN)
        if left <= 0 or not waiting.poll(left * 1000):
            raise TypingFailed(number, self.said())
        try:
            piece = self._shell.socket.recv(PIECE)
        except BlockingIOError:
            return
        except OSError:
            piece = b""
        if not piece:
            raise TypingFailed(number, self.said())
        self._heard = (self._heard + piece)[-PIECE:]

    def said(self) -> str:
        """The last of what the terminal said, for a message."""
        return self._heard[-KEPT:].decode(errors="replace")


@contextmanager
def typist(lab: Lab, *, host: str = "") -> Iterator[Typist]:
    """A terminal to type into, hung up afterwards. Raises SandboxError, and TypingFailed where no prompt comes."""
    shell = lab.open_shell(number=1, columns=COLUMNS, rows=ROWS, host=host)
    try:
        hand = Typist(shell)
        hand.begin()
        yield hand
    finally:
        shell.hang_up()
