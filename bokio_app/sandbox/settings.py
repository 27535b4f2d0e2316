"""Settings of the sandbox, a program of its own beside the product. All come from the environment.

The sandbox holds no secrets worth the name: it has no passwords, and its books are invented.
"""

import os
import secrets
from pathlib import Path

import environ

env = environ.Env()

BASE_DIR = Path(__file__).resolve().parents[2]
VAR_DIR = Path(env.str("VAR_DIR", str(BASE_DIR / "var")))

# Signs the sandbox's own session and consent forms. A fresh key at each start signs people out,
# which is one click to mend; `SANDBOX_SECRET_KEY` keeps them signed in over a restart.
SECRET_KEY = env.str("SANDBOX_SECRET_KEY", "") or secrets.token_urlsafe(40)
DEBUG = False

# Loopback unless told otherwise, for example inside a container: there are no passwords here.
SANDBOX_BIND = env.str("SANDBOX_BIND", "127.0.0.1")
ALLOWED_HOSTS = ["127.0.0.1", "localhost", "[::1]", *env.list("SANDBOX_HOSTS", default=[])]

TIME_FACTOR = env.float("TIME_FACTOR", 1.0)

SANDBOX_CLIENT_ID = env.str("SANDBOX_CLIENT_ID", "") or env.str("BOKIO_CLIENT_ID", "")
SANDBOX_CLIENT_SECRET = env.str("SANDBOX_CLIENT_SECRET", "") or env.str("BOKIO_CLIENT_SECRET", "")
SANDBOX_APP_URL = env.str("APP_URL", "http://127.0.0.1:8000").rstrip("/")
SANDBOX_REDIRECT_URIS = [
    uri.strip()
    for uri in env.str("SANDBOX_REDIRECT_URIS", f"{SANDBOX_APP_URL}/bokio/callback").split(",")
    if uri.strip()
]

INSTALLED_APPS = ["bokio_app.sandbox.apps.SandboxConfig"]
ROOT_URLCONF = "bokio_app.sandbox.pages.urls"
MIDDLEWARE = [
    "bokio_app.sandbox.pages.middleware.SecurityHeaders",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "bokio_app.sandbox.pages.middleware.SwedishFirst",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.messages.context_processors.messages",
                "bokio_app.sandbox.pages.context.page",
            ],
            "builtins": ["bokio_app.sandbox.templatetags.sandbox"],
        },
    }
]

DATABASES = {
    "default": env.db_url("SANDBOX_DATABASE_URL", f"sqlite:///{VAR_DIR / 'sandbox.sqlite3'}")
}
DATABASES["default"]["CONN_MAX_AGE"] = None
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Cookies ignore the port, so the names must differ from the product's on 127.0.0.1.
SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
SESSION_COOKIE_NAME = "sandbox_session"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_NAME = "sandbox_csrf"
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "bokio_app.sandbox.pages.problems.forbidden"
LANGUAGE_COOKIE_NAME = "sandbox_language"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"

USE_TZ = True
TIME_ZONE = "Europe/Stockholm"
USE_I18N = True
LANGUAGE_CODE = "sv"
LANGUAGES = [("sv", "Svenska"), ("en", "English")]
LOCALE_PATHS = [Path(__file__).parent / "locale"]
STATIC_URL = "/static/"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["console"], "level": os.environ.get("SANDBOX_LOG_LEVEL", "WARNING")},
    "loggers": {"django.request": {"level": "ERROR"}},
}
