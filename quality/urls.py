"""Addresses of chapter 6."""

from django.urls import path

from .views.dashboard import DashboardPage, FigurePage

urlpatterns = [
    # --- dashboards ---
    path("dashboard/", DashboardPage.as_view(), name="dashboard"),
    path("figures/<str:code>/", FigurePage.as_view(), name="figure-detail"),
]
