"""The Celery application. `bokio_app.worker` is its worker process."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bokio_app.settings")

app = Celery("bokio_app")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.set_default()
app.autodiscover_tasks()
