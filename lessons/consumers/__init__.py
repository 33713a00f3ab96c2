"""What a terminal's WebSocket does.

Address: ``/ws/labs/<uuid>/terminals/<n>/?ticket=…`` (``&columns=…&rows=…``: the shell's first size). Origin, cookie and
ticket are looked at before the socket is accepted; whose it is and whether the lab lives, again every 15 s and at
each change.

Binary frames are the terminal's bytes, both ways, at most 64 KB each. Text frames are JSON:

server  {"type": "hello", "replay": bytes}       first; so many of the following bytes were said before
        {"type": "explain", "id", "title", "cause", "show", "next"}       an error that is known (lessons.explainer)
        {"type": "changed"}                      the lab changed: ask for its head and checks again
        {"type": "warning", "message"}           it will end soon
        {"type": "ended", "message", "again"}    last; ``again``: opening this terminal again makes sense
client  {"type": "resize", "columns", "rows"}    the newest socket's counts
        {"type": "ack", "bytes"}                 so many more bytes were shown; at most 256 KB may be unacknowledged

Codes of the close after ``ended``: 4000 the shell ended, 4001 the lab is over, 4003 logged out or not the owner any
more, 4008 too much input, 4009 opened in other windows, 4010 did not keep up, 4011 no shell came, 4400 a frame that is
none, 1012 the portal restarts.
"""

from lessons.consumers.terminal import TerminalConsumer

__all__ = ["TerminalConsumer"]
