"""The Celery application: `celery -A bokio_app.celery worker -P threads -Q click,work,beat`."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bokio_app.settings")

app = Celery("bokio_app")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.set_default()
app.autodiscover_tasks()
