"""The web process: `uvicorn bokio_app.asgi:application`."""

import os
import warnings

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bokio_app.settings")

# WhiteNoise streams its files synchronously, which Django remarks on once for each. They are small.
warnings.filterwarnings(
    "ignore", message="StreamingHttpResponse must consume synchronous iterators"
)

application = get_asgi_application()

from bokio_app.flows.tasks import be_ready_to_ring  # noqa: E402  Django is set up by now

be_ready_to_ring()
