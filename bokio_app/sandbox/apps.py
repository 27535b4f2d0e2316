from django.apps import AppConfig


class SandboxConfig(AppConfig):
    """The emulator of Bokio. Installed by `bokio_app.sandbox.settings` alone."""

    name = "bokio_app.sandbox"
    label = "sandbox"
    default_auto_field = "django.db.models.BigAutoField"
