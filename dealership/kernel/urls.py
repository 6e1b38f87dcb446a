"""Addresses of the frame's own pages."""

from django.urls import path

from dealership.kernel import views

urlpatterns = [
    path("", views.home, name="home"),
    path("language/", views.language, name="language"),
    path("store/", views.store, name="store-switch"),
    path("profile/", views.profile, name="profile"),
    path("worker.js", views.worker, name="worker"),
    path("styleguide/", views.style_page, name="styleguide"),
]
