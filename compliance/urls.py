"""Addresses of chapter 8."""

from django.urls import path

from .views import archives, health_uploads, links, vehicle_books

urlpatterns = [
    # --- archive ---
    path("archive/", archives.ArchiveListPage.as_view(), name="archive-list"),
    path("archive/<uuid:uid>/", archives.ArchivePage.as_view(), name="archive-detail"),
    path("archive/<uuid:uid>.pdf", archives.ArchivePdfView.as_view(), name="archive-pdf"),
    path("archive/<uuid:uid>.json", archives.ArchiveJsonView.as_view(), name="archive-json"),
    path("archive/<uuid:uid>/list/", archives.ListForDestructionView.as_view(), name="archive-mark"),
    path("v/<str:token>/files/<uuid:uid>/", links.LinkFilePage.as_view(), name="link-file"),
    path("v/<str:token>/files/<uuid:uid>.pdf", links.LinkFilePdfView.as_view(), name="link-file-pdf"),
    path("v/<str:token>/files/<uuid:uid>.json", links.LinkFileJsonView.as_view(), name="link-file-json"),
    # --- health records ---
    path("health-records/", health_uploads.HealthUploadListPage.as_view(), name="health-upload-list"),
    path("health-records/<uuid:uid>/", health_uploads.HealthUploadPage.as_view(), name="health-upload"),
    path("health-records/<uuid:uid>/send/", health_uploads.SendAgainView.as_view(), name="health-upload-send"),
    # --- vehicle book ---
    path("vehicles/<uuid:uid>/book/", vehicle_books.VehicleBookPage.as_view(), name="vehicle-book"),
    path("vehicles/<uuid:uid>/book.pdf", vehicle_books.VehicleBookPdfView.as_view(), name="vehicle-book-pdf"),
    path("v/<str:token>/book/", vehicle_books.LinkBookPage.as_view(), name="link-book"),
    path("v/<str:token>/book.pdf", vehicle_books.LinkBookPdfView.as_view(), name="link-book-pdf"),
]
