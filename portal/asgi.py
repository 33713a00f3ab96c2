"""The ASGI application that uvicorn serves: pages, sockets, and in embedded mode the dispatcher beside them."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
pages = get_asgi_application()

# Django must be set up before anything that imports its models.
from lessons.routing import sockets  # noqa: E402
from portal.bodies import BodyLimit  # noqa: E402
from portal.lifespan import Lifespan  # noqa: E402
from portal.protocols import Protocols  # noqa: E402

application = Lifespan(Protocols(pages=BodyLimit(pages), sockets=sockets))
