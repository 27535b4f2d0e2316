"""All settings of the product, read from the environment; `docs/configuration.md` lists them.

Without `DATABASE_URL` the app runs in embedded mode: SQLite and secrets made once in `var/`.
With it, every secret must come from the environment, or the app refuses to start.
"""

import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from bokio_app.core.environment import (
    encryption_keys,
    env,
    http_url,
    number,
    origin,
    required,
    return_origins,
)
from bokio_app.core.local_secrets import ensure_secrets

BASE_DIR = Path(__file__).resolve().parent.parent

VAR_DIR = Path(env.str("VAR_DIR", str(BASE_DIR / "var")))
EMBEDDED = not os.environ.get("DATABASE_URL")
DEBUG = False

if EMBEDDED:
    for name, value in ensure_secrets(VAR_DIR).items():
        os.environ.setdefault(name, value)

SECRET_KEY = required("SECRET_KEY", "at least 50 random characters")
FIELD_ENCRYPTION_KEYS = encryption_keys()

# --- Bokio ---------------------------------------------------------------------------------
BOKIO_API_URL = http_url("BOKIO_API_URL", "https://api.bokio.se/v1")
BOKIO_AUTHORIZE_URL = http_url("BOKIO_AUTHORIZE_URL", f"{BOKIO_API_URL}/authorize")
BOKIO_CLIENT_ID = required("BOKIO_CLIENT_ID", "00000000-0000-4000-8000-000000000000")
BOKIO_CLIENT_SECRET = required("BOKIO_CLIENT_SECRET", "the secret of the developer portal")

BOKIO_PRIVATE_CALLS = int(number("BOKIO_PRIVATE_CALLS", 5000, least=1))
CONNECTIONS_CHECK_EVERY = number("CONNECTIONS_CHECK_EVERY", 86400, least=60)
CONNECTIONS_TELL_AFTER = number("CONNECTIONS_TELL_AFTER", 7200, least=60)
BOKIO_BANK_PAYMENTS = env.bool("BOKIO_BANK_PAYMENTS", False)
BOKIO_RETURN_ORIGINS = return_origins()

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

# --- Our copy of the books: real seconds, whatever `TIME_FACTOR` says -----------------------
MIRROR_OPEN_WITHIN = number("MIRROR_OPEN_WITHIN", 900, least=60)
MIRROR_ALL_WITHIN = number("MIRROR_ALL_WITHIN", 86_400, least=600)
MIRROR_FLOWS = int(number("MIRROR_FLOWS", 3, least=1))
MIRROR_RUNS_DAYS = int(number("MIRROR_RUNS_DAYS", 7, least=1))

# --- Addresses -----------------------------------------------------------------------------
APP_URL = http_url("APP_URL", "http://127.0.0.1:8000")
HTTPS = APP_URL.startswith("https://")
ALLOWED_HOSTS = [urlsplit(APP_URL).hostname or "127.0.0.1", *env.list("EXTRA_HOSTS", default=[])]
CSRF_TRUSTED_ORIGINS = [origin(APP_URL)]
ROOT_URLCONF = "bokio_app.urls"
ASGI_APPLICATION = "bokio_app.asgi.application"

INSTALLED_APPS = [
    "bokio_app.core",
    "bokio_app.mailbox",
    "bokio_app.tenants",
    "bokio_app.audit",
    "bokio_app.connections",
    "bokio_app.flows",
    "bokio_app.ledger",
    "bokio_app.documents",
    "bokio_app.invoicing",
    "bokio_app.payments",
    "bokio_app.mirror",
    "bokio_app.batches",
    "bokio_app.live",
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
    "bokio_app.core.middleware.PrivacyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "bokio_app.core.middleware.LanguageMiddleware",
    "bokio_app.core.middleware.WholeTextMiddleware",
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
SIGN_UP = env.bool("SIGN_UP", True)
SIGN_IN_FRESH = number("SIGN_IN_FRESH", 3600, least=60)
WORKSPACE_KEPT_DAYS = number("WORKSPACE_KEPT_DAYS", 90, least=1)
ACCOUNT_UNPROVEN_DAYS = number("ACCOUNT_UNPROVEN_DAYS", 7, least=1)
ACCOUNT_ADAPTER = "bokio_app.tenants.adapter.Adapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_SIGNUP_FORM_CLASS = "bokio_app.tenants.forms.SignUp"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
# A code is typed where the sign-up was begun: what waits in that browser, such as a company to
# connect, goes on there, whichever device the mail is read on.
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = True
ACCOUNT_EMAIL_VERIFICATION_SUPPORTS_RESEND = True
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_RATE_LIMITS = {"signup": "10/m/ip,100/d/ip"}
ACCOUNT_SESSION_REMEMBER = True
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}", "OPTIONS": options}
    for name, options in (
        ("UserAttributeSimilarityValidator", {}),
        ("MinimumLengthValidator", {"min_length": 12}),
        ("CommonPasswordValidator", {}),
        ("NumericPasswordValidator", {}),
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
# Without a mail server, mails are kept in the database and go nowhere; they are never logged.
if env.str("EMAIL_URL", ""):
    vars().update(env.email_url("EMAIL_URL"))
else:
    EMAIL_BACKEND = "bokio_app.mailbox.backend.DatabaseBackend"
MAILBOX_PAGE = env.bool("MAILBOX_PAGE", False)
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", f"no-reply@{ALLOWED_HOSTS[0]}")

DEFAULT_EXCEPTION_REPORTER_FILTER = "bokio_app.core.logs.NothingShown"
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": "bokio_app.core.logs.LineFormatter",
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
        "uvicorn": {"handlers": ["console"], "level": "INFO", "propagate": False},
        "uvicorn.access": {"level": "WARNING"},
        "celery.worker.strategy": {"level": "WARNING"},
        "celery.app.trace": {"level": "WARNING"},
        "celery.beat": {"level": "WARNING"},
    },
}
