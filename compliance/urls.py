"""Addresses of chapter 8."""

from django.urls import path

from .views import archives

urlpatterns = [
    # --- archive ---
    path("archive/", archives.ArchiveListPage.as_view(), name="archive-list"),
    path("archive/<uuid:uid>/", archives.ArchivePage.as_view(), name="archive-detail"),
    path("archive/<uuid:uid>/list/", archives.ListForDestructionView.as_view(), name="archive-mark"),
]
