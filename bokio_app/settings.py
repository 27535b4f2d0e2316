"""All settings of the product, read from the environment; `docs/configuration.md` lists them.

Without `DATABASE_URL` the app runs in embedded mode: SQLite and secrets made once in `var/`.
With it, every secret must come from the environment, or the app refuses to start.
"""

import base64
import binascii
import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from bokio_app.core.local_secrets import ensure_secrets

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

VAR_DIR = Path(env.str("VAR_DIR", str(BASE_DIR / "var")))
EMBEDDED = not os.environ.get("DATABASE_URL")
DEBUG = False

if EMBEDDED:
    for name, value in ensure_secrets(VAR_DIR).items():
        os.environ.setdefault(name, value)


def required(name: str, example: str) -> str:
    """A variable that has no default; a missing one is named together with an example."""
    value = os.environ.get(name, "")
    if not value:
        raise ImproperlyConfigured(f"{name} is not set. Example: {name}={example}")
    return value


def http_url(name: str, default: str) -> str:
    value: str = env.str(name, default).rstrip("/")
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.netloc or parts.query or parts.fragment:
        raise ImproperlyConfigured(f"{name} is not an http(s) address. Example: {name}={default}")
    return value


def number(name: str, default: float, *, least: float) -> float:
    text = os.environ.get(name, "") or str(default)
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not value >= least or value == float("inf"):
        raise ImproperlyConfigured(
            f"{name} must be a number of at least {least:g}. Example: {name}={default:g}"
        )
    return value


def encryption_keys() -> list[bytes]:
    """The ring of AES-256 keys: the first encrypts, all of them decrypt."""
    example = "two keys, newest first: <base64 of 32 bytes>,<base64 of 32 bytes>"
    keys = []
    for text in required("FIELD_ENCRYPTION_KEYS", example).split(","):
        try:
            key = base64.b64decode(text.strip(), validate=True)
        except (binascii.Error, ValueError):
            key = b""
        if len(key) != 32:
            raise ImproperlyConfigured(f"FIELD_ENCRYPTION_KEYS is malformed. Example: {example}")
        keys.append(key)
    return keys


def origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


SECRET_KEY = required("SECRET_KEY", "at least 50 random characters")
FIELD_ENCRYPTION_KEYS = encryption_keys()

# --- Bokio ---------------------------------------------------------------------------------
BOKIO_API_URL = http_url("BOKIO_API_URL", "https://api.bokio.se/v1")
BOKIO_AUTHORIZE_URL = http_url("BOKIO_AUTHORIZE_URL", f"{BOKIO_API_URL}/authorize")
BOKIO_CLIENT_ID = required("BOKIO_CLIENT_ID", "00000000-0000-4000-8000-000000000000")
BOKIO_CLIENT_SECRET = required("BOKIO_CLIENT_SECRET", "the secret of the developer portal")

# --- Flows: seconds, all multiplied by one factor ------------------------------------------
TIME_FACTOR = number("TIME_FACTOR", 1, least=0.001)
FLOW_SEND_GUARD = number("FLOW_SEND_GUARD", 5, least=0.1) * TIME_FACTOR
FLOW_DEADLINE = number("FLOW_DEADLINE", 30, least=0.1) * TIME_FACTOR
FLOW_FILE_DEADLINE = number("FLOW_FILE_DEADLINE", 60, least=0.1) * TIME_FACTOR
FLOW_SETTLE = number("FLOW_SETTLE", 60, least=0.1) * TIME_FACTOR
FLOW_SWEEP_EVERY = number("FLOW_SWEEP_EVERY", 2, least=0.1) * TIME_FACTOR
FLOW_TURN = number("FLOW_TURN", 60, least=1) * TIME_FACTOR
FLOW_BREAKER_REFUSALS = int(number("FLOW_BREAKER_REFUSALS", 5, least=1))
FLOW_BREAKER_REST = number("FLOW_BREAKER_REST", 900, least=1) * TIME_FACTOR
FLOW_ANSWERS_DAYS = int(number("FLOW_ANSWERS_DAYS", 7 * 365 + 2, least=1))
FLOWS_PER_CONNECTION = int(number("FLOWS_PER_CONNECTION", 4, least=1))
BOKIO_RATE_LIMIT = int(number("BOKIO_RATE_LIMIT", 200, least=1))

# --- Addresses -----------------------------------------------------------------------------
APP_URL = http_url("APP_URL", "http://127.0.0.1:8000")
HTTPS = APP_URL.startswith("https://")
ALLOWED_HOSTS = [urlsplit(APP_URL).hostname or "127.0.0.1", *env.list("EXTRA_HOSTS", default=[])]
CSRF_TRUSTED_ORIGINS = [origin(APP_URL)]
ROOT_URLCONF = "bokio_app.urls"
ASGI_APPLICATION = "bokio_app.asgi.application"

INSTALLED_APPS = [
    "bokio_app.core",
    "bokio_app.tenants",
    "bokio_app.audit",
    "bokio_app.connections",
    "bokio_app.flows",
    "bokio_app.ledger",
    "bokio_app.invoicing",
    "bokio_app.payments",
    "bokio_app.batches",
    "bokio_app.console",
    "django.contrib.admin.apps.SimpleAdminConfig",  # `urls` loads what it shows; workers do not
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_htmx",
    "allauth",
    "allauth.account",
    "csp",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "bokio_app.core.middleware.LanguageMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "bokio_app.tenants.middleware.TenantMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "bokio_app.tenants.context.shell",
            ],
            "builtins": ["bokio_app.core.templatetags.ui"],
        },
    }
]

# --- Database ------------------------------------------------------------------------------
# A remote call never happens inside `atomic()`, and requests are not atomic as a whole: with
# SQLite's IMMEDIATE transactions either would hold the one write lock over a network wait.
POOL_SIZE = int(number("DATABASE_POOL", 20, least=0))


def database() -> dict[str, Any]:
    if EMBEDDED:
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": VAR_DIR / "app.sqlite3",
            "OPTIONS": {
                "timeout": 20,
                "transaction_mode": "IMMEDIATE",
                "init_command": (
                    "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
                    "PRAGMA cache_size=-20000; PRAGMA temp_store=MEMORY;"
                ),
            },
        }
    config: dict[str, Any] = env.db_url("DATABASE_URL")
    if config["ENGINE"] != "django.db.backends.postgresql":
        raise ImproperlyConfigured(
            "DATABASE_URL must name PostgreSQL. Example: DATABASE_URL=postgres://user:pw@host/db"
        )
    if POOL_SIZE:
        config["OPTIONS"] = {"pool": {"min_size": 2, "max_size": POOL_SIZE, "timeout": 10}}
    return config


DATABASES = {"default": database()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Redis: broker and cache; absent, the worker polls and caches stay in the process --------
REDIS_URL = env.str("REDIS_URL", "")
CACHES: dict[str, dict[str, Any]] = {
    "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}
    if REDIS_URL
    else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
}

CELERY_BROKER_URL = REDIS_URL or "memory://"
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = False
CELERY_TASK_PUBLISH_RETRY = False
CELERY_TASK_DEFAULT_QUEUE = "work"
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_SEND_TASK_EVENTS = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_TIMEOUT = 2
CELERY_BROKER_TRANSPORT_OPTIONS = (
    {
        "visibility_timeout": 3600,
        "socket_connect_timeout": 0.25,
        "socket_keepalive": True,
        "health_check_interval": 25,
        "max_connections": 64,
    }
    if REDIS_URL
    else {"polling_interval": 0.05}
)
CELERY_BEAT_SCHEDULE = {
    "sweep": {
        "task": "bokio_app.flows.tasks.sweep",
        "schedule": FLOW_SWEEP_EVERY,
        "options": {"queue": "beat", "expires": max(FLOW_SWEEP_EVERY * 5, 1)},
    }
}
CELERY_BEAT_SCHEDULE_FILENAME = str(VAR_DIR / "beat-schedule")
CELERY_TIMEZONE = "UTC"

# --- Sign-in and security ------------------------------------------------------------------
AUTH_USER_MODEL = "tenants.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
ACCOUNT_ADAPTER = "bokio_app.tenants.adapter.ClosedSignup"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = True
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

# Cookies are shared by all ports of a host, so these names must differ from the sandbox's.
SESSION_COOKIE_NAME = "bokio_app_session"
CSRF_COOKIE_NAME = "bokio_app_csrf"
LANGUAGE_COOKIE_NAME = "bokio_app_language"
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600
LANGUAGE_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = True
CSRF_COOKIE_HTTPONLY = True
SECURE_SSL_REDIRECT = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^healthz$"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_HSTS_PRELOAD = HTTPS
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 3000  # an invoice of 300 lines has eight fields in each

# Browsers apply `form-action` to the redirect that follows a form post, and *Connect company*
# posts to us and is redirected to Bokio's consent page.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF, origin(BOKIO_AUTHORIZE_URL)],
        "manifest-src": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}

# --- Languages, dates, files ---------------------------------------------------------------
LANGUAGE_CODE = "sv"
LANGUAGES = [("sv", "Svenska"), ("en", "English")]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_TZ = True
TIME_ZONE = "Europe/Stockholm"
STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if env.bool("STATIC_MANIFEST", True)
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = not env.bool("STATIC_MANIFEST", True)
WHITENOISE_KEEP_ONLY_HASHED_FILES = True

# --- Mail and logs -------------------------------------------------------------------------
vars().update(env.email_url("EMAIL_URL", "consolemail://"))
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", f"no-reply@{ALLOWED_HOSTS[0]}")

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "format": "{asctime} {levelname} {name} {message}",
            "datefmt": "%Y-%m-%dT%H:%M:%S%z",
            "style": "{",
        },
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", "INFO")},
    "loggers": {
        # These libraries log addresses with their query strings, which may carry secrets.
        "httpx2": {"level": "WARNING"},
        "httpcore2": {"level": "WARNING"},
        "uvicorn.access": {"level": "WARNING"},
        "celery.worker.strategy": {"level": "WARNING"},
        "celery.app.trace": {"level": "WARNING"},
        "celery.beat": {"level": "WARNING"},
    },
}
