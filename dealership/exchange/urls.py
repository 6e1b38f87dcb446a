"""Addresses of chapter 7. The API's catch-all stands last of all addresses."""

from django.urls import path

from dealership.kernel.api.routes import UNKNOWN

from . import api
from .views import api_docs, approvals, health, imports, integration, messages, metrics, settings, setup, system

urlpatterns = [
    path("health/", health.health, name="health"),
    path("health/alive/", health.alive, name="health-alive"),
    path("health/ready/", health.ready, name="health-ready"),
    path("metrics", metrics.metrics, name="metrics"),
    path("setup/", setup.SetupPage.as_view(), name="setup"),
    # --- the system itself (7.1) ---
    path("system/", system.SystemPage.as_view(), name="system"),
    path("system/retry/", system.RetryEventView.as_view(), name="system-retry"),
    path("settings/", settings.SettingsPage.as_view(), name="settings"),
    path("settings/<str:key>/", settings.SettingPage.as_view(), name="setting"),
    # --- messages and approvals (1.2, 1.3) ---
    path("messages/", messages.MessagesPage.as_view(), name="messages"),
    path("messages/read/", messages.ReadMessagesView.as_view(), name="messages-read"),
    path("messages/<uuid:uid>/", messages.MessagePage.as_view(), name="message"),
    path("messages/<uuid:uid>/retry/", messages.RetryMessageView.as_view(), name="message-retry"),
    path("approvals/", approvals.ApprovalsPage.as_view(), name="approvals"),
    path("approvals/<uuid:uid>/", approvals.DecisionPage.as_view(), name="approval"),
    path("approvals/<uuid:uid>/withdraw/", approvals.WithdrawView.as_view(), name="approval-withdraw"),
    # --- imports (7.2) ---
    path("imports/", imports.ImportsPage.as_view(), name="imports"),
    path("imports/<uuid:uid>/", imports.ImportPage.as_view(), name="import-detail"),
    path("imports/<uuid:uid>/confirm/", imports.ConfirmView.as_view(), name="import-confirm"),
    path("imports/<uuid:uid>/discard/", imports.DiscardView.as_view(), name="import-discard"),
    path("imports/<uuid:uid>/undo/", imports.UndoView.as_view(), name="import-undo"),
    # --- API (7.3) ---
    path("integration/", integration.IntegrationPage.as_view(), name="integration"),
    path("integration/<uuid:uid>/withdraw/", integration.WithdrawClientView.as_view(), name="api-client-withdraw"),
    path("api/v1/oauth/token", api_docs.token, name="api-token"),
    path("api/v1/openapi.json", api_docs.openapi, name="api-openapi"),
    path("api/v1/docs", api_docs.docs, name="api-docs"),
    *api.patterns(),
    UNKNOWN,
]
