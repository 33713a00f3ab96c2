"""The shells behind terminals: one for each terminal of a lab, whoever looks at it, for as long as the lab lives.

Everything here but ``free`` belongs to the event loop. A shell has no thread: its bytes come by ``loop.sock_recv``, and
what the sandbox does with blocking calls crosses to threads in ``threads`` alone, each with a deadline.
"""

from lessons.terminals.hub import Hub, ShellUnavailable, free, hub
from lessons.terminals.pacing import Bucket
from lessons.terminals.seat import Seat
from lessons.terminals.terminal import Terminal
from lessons.terminals.threads import in_thread

__all__ = ["Bucket", "Hub", "Seat", "ShellUnavailable", "Terminal", "free", "hub", "in_thread"]
