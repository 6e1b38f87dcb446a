"""Addresses of chapter 7."""

from django.urls import path

from .views import health

urlpatterns = [
    path("health/", health.health, name="health"),
    path("health/ready/", health.ready, name="health-ready"),
]
