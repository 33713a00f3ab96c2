"""A lab drawn: what its containers or its cluster are made of, where a link is broken, and the same as tables.

Pure: a document in (the attendant's answer to ``topology``, any JSON at all), a ``Picture`` out. Nothing here raises,
whatever a lab said, and nothing grows beyond ``bounds``. Texts are plain Korean, never HTML. Boxes keep their places
as long as the objects are the same: they are sorted by name, never by time.
"""

from lessons.topology.picture import picture_of
from lessons.topology.shapes import Box, Drawing, Fault, Link, Picture, Row, Table, Text

__all__ = ["Box", "Drawing", "Fault", "Link", "Picture", "Row", "Table", "Text", "picture_of"]
