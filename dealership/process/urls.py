"""Addresses of chapter 1."""

from django.urls import path

from .views.manual import ManualPage

urlpatterns = [path("manual/", ManualPage.as_view(), name="manual")]
