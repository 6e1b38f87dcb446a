"""Settings of the whole system, read from the environment by typed readers that fail loudly.

``make run`` writes ``VAR_DIR/servers.json`` for the embedded PostgreSQL and Redis; ``DATABASE_URL``,
``DATABASE_OWNER_URL`` and ``REDIS_URL`` win over it. Web and workers connect as a role that owns nothing
(alias ``default``); migrations, test flushes and bulk loads run as the owner (alias ``owner``).
"""

import json
import os
import re
import secrets
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pgtrigger  # noqa: F401  (django-pgtrigger refuses to be configured later)
import structlog
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

BASE_DIR = Path(__file__).resolve().parent.parent


def env(name: str, default: str | None = None) -> str:
    value = os.environ.get(name, default)
    if value is None:
        raise ImproperlyConfigured(f"{name} is not set: put it into the environment.")
    return value


def env_bool(name: str, default: bool) -> bool:
    value = os.environ.get(name, str(default)).strip().lower()
    if value not in {"true", "false", "1", "0", "yes", "no"}:
        raise ImproperlyConfigured(f"{name} must be true or false, not {value!r}.")
    return value in {"true", "1", "yes"}


def env_int(name: str, default: int) -> int:
    value = os.environ.get(name, str(default))
    if not re.fullmatch(r"-?\d+", value):
        raise ImproperlyConfigured(f"{name} must be a whole number, not {value!r}.")
    return int(value)


def env_list(name: str, default: str = "") -> list[str]:
    return [part.strip() for part in os.environ.get(name, default).split(",") if part.strip()]


def env_url(name: str) -> str:
    value = os.environ.get(name, "").strip()
    if value and not value.startswith(("https://", "http://")):
        raise ImproperlyConfigured(f"{name} must be an http or https address.")
    return value


def accounts(name: str) -> dict[str, tuple[str, str]]:
    """``STORE:company:password`` of each store, separated by commas; the password may hold further colons."""
    found = {}
    for entry in env_list(name):
        store, _first, rest = entry.partition(":")
        company, _second, password = rest.partition(":")
        if not (store and company and password):
            raise ImproperlyConfigured(f"{name} must be STORE:company:password for each store, separated by commas.")
        found[store] = (company, password)
    return found


def database(url: str) -> dict[str, Any]:
    """Django's connection settings for ``postgresql://user:password@host:port/name?host=/socket/dir``."""
    parts = urlsplit(url)
    if parts.scheme not in {"postgresql", "postgres"}:
        raise ImproperlyConfigured(f"A database address must start with postgresql://, not {parts.scheme!r}.")
    query = {key: values[-1] for key, values in parse_qs(parts.query).items()}
    return {
        "ENGINE": "dealership.kernel.postgres",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": query.pop("host", parts.hostname or ""),
        "PORT": query.pop("port", str(parts.port or "")),
        "CONN_MAX_AGE": env_int("DATABASE_CONN_MAX_AGE", 600),
        "CONN_HEALTH_CHECKS": True,
        "DISABLE_SERVER_SIDE_CURSORS": env_bool("DATABASE_BEHIND_PGBOUNCER", False),
        "OPTIONS": {**query, "connect_timeout": 5},
    }


VAR_DIR = Path(env("VAR_DIR", str(BASE_DIR / "var"))).resolve()
VAR_DIR.mkdir(parents=True, exist_ok=True)
_servers_file = VAR_DIR / "servers.json"
_servers: dict[str, str] = json.loads(_servers_file.read_text()) if _servers_file.exists() else {}


def _kept_secret(name: str) -> str:
    """A secret made on the first start of this installation and kept in ``VAR_DIR``, readable by its user only."""
    path = VAR_DIR / name
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(48))
    return path.read_text().strip()


VERSION = re.search(r"^## (\d+\.\d+\.\d+)", (BASE_DIR / "CHANGELOG.md").read_text(encoding="utf-8"), re.M)[1]  # type: ignore[index]
DEBUG = env_bool("DEBUG", False)
DEMO = env_bool("DEMO", False)
_demo_clock = VAR_DIR / "run" / "demo-clock"  # tools/demo_clock.py; there while a demo with a clock of its own runs
DEMO_CLOCK = timedelta(
    seconds=env_int("DEMO_CLOCK_SECONDS", int(_demo_clock.read_text()) if _demo_clock.exists() else 0)
)
SETUP_CODE = os.environ.get("SETUP_CODE", "")
SECRET_KEY = os.environ.get("SECRET_KEY") or _kept_secret("secret-key")
ALLOWED_HOSTS = env_list("ALLOWED_HOSTS", "127.0.0.1,localhost,[::1],testserver")
CSRF_TRUSTED_ORIGINS = env_list("CSRF_TRUSTED_ORIGINS")
PUBLIC_URL = env("PUBLIC_URL", f"http://127.0.0.1:{env_int('PORT', 8000)}")

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "pgtrigger",
    "django_htmx",
    "template_partials.apps.SimpleAppConfig",
    "django_cotton.apps.SimpleAppConfig",
    "crispy_forms",
    "oauth2_provider",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "django_prometheus",
    "dealership.kernel",
    "dealership.process",
    "staff",
    "dealership.catalogue",
    "reception",
    "workshop",
    "delivery",
    "quality",
    "compliance",
    "dealership.exchange",
]

MIDDLEWARE = [
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "dealership.kernel.api.middleware.ProblemMiddleware",
    "dealership.kernel.api.middleware.ClientMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "dealership.kernel.middleware.NulMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "dealership.kernel.middleware.LanguageMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "dealership.kernel.middleware.ActorMiddleware",
    "dealership.kernel.middleware.RuleErrorMiddleware",
    "django_prometheus.middleware.PrometheusAfterMiddleware",
]

ROOT_URLCONF = "dealership.urls"
WSGI_APPLICATION = "dealership.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {
            "loaders": [
                (
                    "template_partials.loader.Loader",
                    [
                        (
                            "django.template.loaders.cached.Loader",
                            [
                                "django_cotton.cotton_loader.Loader",
                                "django.template.loaders.filesystem.Loader",
                                "django.template.loaders.app_directories.Loader",
                            ],
                        )
                    ],
                )
            ],
            "builtins": ["django_cotton.templatetags.cotton", "template_partials.templatetags.partials"],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.i18n",
                "dealership.kernel.context.shell",
            ],
        },
    }
]
COTTON_DIR = "cotton"
CRISPY_ALLOWED_TEMPLATE_PACKS = "house"
CRISPY_TEMPLATE_PACK = "house"
CRISPY_FAIL_SILENTLY = False

DATABASES = {
    "default": database(
        os.environ.get("DATABASE_URL") or _servers.get("database_url", "postgresql://app@127.0.0.1/dealership")
    ),
    "owner": database(
        os.environ.get("DATABASE_OWNER_URL")
        or _servers.get("database_owner_url", "postgresql://owner@127.0.0.1/dealership")
    ),
}
# The second road to the same database is not a second database: nothing is routed to it by itself.
DATABASES["owner"]["CONN_MAX_AGE"] = 0
DATABASE_APP_ROLE = DATABASES["default"]["USER"]

REDIS_URL = os.environ.get("REDIS_URL") or _servers.get("redis_url", "redis://127.0.0.1:6379/0")
# Celery names a Unix socket in its own way.
CELERY_BROKER_URL = re.sub(r"^unix://(.*?)(\?db=(\d+))?$", r"redis+socket://\1?virtual_host=\3", REDIS_URL)
WORK_QUEUE = "dealership.celery"
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_TIME_LIMIT = 300
CELERY_TASK_SOFT_TIME_LIMIT = 240
CELERY_TASK_IGNORE_RESULT = True
CELERY_TIMEZONE = "Asia/Shanghai"
CELERY_TASK_DEFAULT_QUEUE = "celery"
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # Redis may stay away for long; what is owed waits in the database
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "socket_timeout": 30,
    "socket_connect_timeout": 5,
    "visibility_timeout": 600,  # longer than any task may run; the relay is quicker anyway
}
OUTBOX_RESEND_SECONDS = env_int("OUTBOX_RESEND_SECONDS", 120)  # a row that is due and unfinished is sent again after
WORKER_SILENT_SECONDS = env_int("WORKER_SILENT_SECONDS", 60)  # a worker that hears nothing of itself for so long ends
STUCK_SECONDS = env_int("STUCK_SECONDS", 120)  # relay and beat end when one look takes longer
SCHEDULE_PACE = env_int("SCHEDULE_PACE", 1)  # tests run the schedule so many times as fast

AUTH_USER_MODEL = "kernel.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_ADAPTER = "dealership.kernel.signin.ClosedAccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_USER_DISPLAY = str  # people are greeted by their names
ACCOUNT_LOGOUT_ON_GET = False
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "Dealership service"

LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", _("Simplified Chinese")), ("en", _("English"))]
ROOMS = [
    "kernel",
    "process",
    "staff",
    "catalogue",
    "reception",
    "workshop",
    "delivery",
    "quality",
    "compliance",
    "exchange",
]
LOCALE_PATHS = [BASE_DIR / "locale" / room for room in ROOMS]
TIME_ZONE = "Asia/Shanghai"
USE_TZ = True

STATIC_URL = "/static/"
STATIC_ROOT = Path(os.environ.get("STATIC_ROOT") or VAR_DIR / "static")
_npm = BASE_DIR / "node_modules"
STATICFILES_DIRS: list[Any] = [
    BASE_DIR / "static",
    ("vendor/tabler", _npm / "@tabler/core/dist/css"),
    ("vendor/tabler-js", _npm / "@tabler/core/dist/js"),
    ("vendor/icons", _npm / "@tabler/icons/icons/outline"),
    ("vendor/htmx", _npm / "htmx.org/dist"),
    ("vendor/inter", _npm / "@fontsource/inter/files"),
    ("vendor/signature-pad", _npm / "signature_pad/dist"),
    ("vendor/swagger-ui", _npm / "swagger-ui-dist"),
]
STATICFILES_DIRS = [d for d in STATICFILES_DIRS if (d[1] if isinstance(d, tuple) else d).exists()]
MEDIA_ROOT = VAR_DIR / "files"
DATA_UPLOAD_MAX_MEMORY_SIZE = 20 * 1024 * 1024

SESSION_ENGINE = "django.contrib.sessions.backends.cached_db"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 60 * 60 * 12
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
if env_bool("HTTPS", False):
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = 31536000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
CSRF_FAILURE_VIEW = "dealership.kernel.views.csrf_failure"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "img-src": ["'self'", "data:", "blob:"],
        "style-src": ["'self'"],
        "script-src": ["'self'"],
        "connect-src": ["'self'"],
        "font-src": ["'self'"],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
    }
}

CACHES = {
    "default": {
        "BACKEND": "dealership.kernel.cache.ForgivingCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "4s",
        "OPTIONS": {"socket_connect_timeout": 1, "socket_timeout": 2},
    }
}

EMAIL_HOST = os.environ.get("EMAIL_HOST", "")
EMAIL_PORT = env_int("EMAIL_PORT", 25)
EMAIL_HOST_USER = os.environ.get("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = os.environ.get("EMAIL_HOST_PASSWORD", "")
EMAIL_TIMEOUT = 30
EMAIL_USE_TLS = env_bool("EMAIL_USE_TLS", False)
DEFAULT_FROM_EMAIL = env("DEFAULT_FROM_EMAIL", "service@demo.example")
APPRISE_TARGETS = env_list("APPRISE_TARGETS")

# The shop's mailbox, read every minute; without a host nothing is read.
IMAP_HOST = os.environ.get("IMAP_HOST", "")
IMAP_SSL = env_bool("IMAP_SSL", True)
IMAP_PORT = env_int("IMAP_PORT", 993 if IMAP_SSL else 143)
IMAP_USER = os.environ.get("IMAP_USER", "")
IMAP_PASSWORD = os.environ.get("IMAP_PASSWORD", "")
IMAP_FOLDER = os.environ.get("IMAP_FOLDER", "INBOX")
IMAP_STORE = os.environ.get("IMAP_STORE", "")

# Health records of repaired cars (JT/T 1132): the platform's two addresses, and per store code:company code:password.
HEALTH_RECORD_URL = env_url("HEALTH_RECORD_URL")
HEALTH_RECORD_TOKEN_URL = env_url("HEALTH_RECORD_TOKEN_URL")
HEALTH_RECORD_ACCOUNTS = accounts("HEALTH_RECORD_ACCOUNTS")

OAUTH2_PROVIDER_APPLICATION_MODEL = "oauth2_provider.Application"
OAUTH2_PROVIDER = {
    "ACCESS_TOKEN_EXPIRE_SECONDS": 3600,
    "SCOPES_BACKEND_CLASS": "dealership.exchange.scopes.ClientScopes",
}

PROMETHEUS_EXPORT_MIGRATIONS = False
METRICS_TOKEN = os.environ.get("METRICS_TOKEN", "")
METRICS_ADDRESSES = env_list("METRICS_ADDRESSES", "127.0.0.0/8,::1")
# Plain tracebacks: the values of variables (names, telephone numbers, tokens) don't belong in a log.
structlog.configure(
    processors=[
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
    ]
)
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["console"], "level": env("LOG_LEVEL", "WARNING")},
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
SILENCED_SYSTEM_CHECKS: list[str] = []
