"""Addresses of chapter 2."""

from django.urls import path

from .views import visits

urlpatterns = [
    # --- visits ---
    path("visits/new/", visits.NewVisitPage.as_view(), name="visit-new"),
    path("visits/new/known-car/", visits.KnownCarView.as_view(), name="visit-known-car"),
]
