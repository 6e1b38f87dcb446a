"""Addresses of chapter 7. The API's catch-all stands last of all addresses."""

from django.urls import path

from dealership.kernel.api.routes import UNKNOWN

from . import api
from .views import api_docs, health

urlpatterns = [
    path("health/", health.health, name="health"),
    path("health/ready/", health.ready, name="health-ready"),
    # --- API (7.3) ---
    path("api/v1/oauth/token", api_docs.token, name="api-token"),
    path("api/v1/openapi.json", api_docs.openapi, name="api-openapi"),
    path("api/v1/docs", api_docs.docs, name="api-docs"),
    *api.patterns(),
    UNKNOWN,
]
