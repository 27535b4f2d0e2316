"""Core: money, clock, encryption; no business words."""

from importlib import import_module

from django.apps import AppConfig


class CoreConfig(AppConfig):
    """Loads Celery with Django, so that `shared_task` finds its app in every process."""

    name = "bokio_app.core"

    def ready(self) -> None:
        import_module("bokio_app.celery")
