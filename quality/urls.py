"""Addresses of chapter 6."""

from django.urls import path

from .views import complaints
from .views.dashboard import DashboardPage, FigurePage

urlpatterns = [
    # --- dashboards ---
    path("dashboard/", DashboardPage.as_view(), name="dashboard"),
    path("figures/<str:code>/", FigurePage.as_view(), name="figure-detail"),
    # --- complaints ---
    path("complaints/", complaints.ComplaintListPage.as_view(), name="complaint-list"),
    path("complaints/<uuid:uid>/", complaints.ComplaintPage.as_view(), name="complaint-detail"),
    path("complaints/<uuid:uid>/close/", complaints.CloseComplaintView.as_view(), name="complaint-close"),
    path("visits/<uuid:uid>/complaint/", complaints.NewComplaintPage.as_view(), name="complaint-new"),
]
