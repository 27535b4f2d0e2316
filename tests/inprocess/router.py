"""Which rows live where: the sandbox's beside the product's, never among them."""

from typing import Any


class SandboxRouter:
    """Sends the sandbox's models to the alias `sandbox`, and all others to `default`."""

    def db_for_read(self, model: Any, **_hints: Any) -> str:
        return _alias(model._meta.app_label)

    def db_for_write(self, model: Any, **_hints: Any) -> str:
        return _alias(model._meta.app_label)

    def allow_migrate(self, db: str, app_label: str, **_hints: Any) -> bool:
        return db == _alias(app_label)


def _alias(app_label: str) -> str:
    return "sandbox" if app_label == "sandbox" else "default"
