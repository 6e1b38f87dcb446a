"""Imports with preview and undo (7.2), API clients (7.3)."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from dealership.kernel import states
from dealership.kernel.actors import Actor, ActorKind
from dealership.kernel.errors import explain_constraint
from dealership.kernel.models import Root, ScopedQuerySet, Store, User


class ImportState(models.TextChoices):
    READING = "READING", _("Being read")
    PREVIEW = "PREVIEW", _("To be confirmed")
    WRITING = "WRITING", _("Writing rows")
    DONE = "DONE", _("Written")
    UNDONE = "UNDONE", _("Undone")
    FAILED = "FAILED", _("Did not work")


IMPORT_MOVES: dict[ImportState, set[ImportState]] = {
    ImportState.READING: {ImportState.PREVIEW, ImportState.FAILED},
    ImportState.PREVIEW: {ImportState.WRITING, ImportState.FAILED},
    ImportState.WRITING: {ImportState.DONE, ImportState.FAILED, ImportState.PREVIEW},
    ImportState.DONE: {ImportState.UNDONE},
    ImportState.UNDONE: set(),
    ImportState.FAILED: set(),
}


class ImportBatch(Root):
    """One spreadsheet of customers and vehicles: read, previewed, written, perhaps undone (7.2)."""

    store = models.ForeignKey(Store, models.PROTECT, related_name="+")
    file_name = models.CharField(max_length=120)
    sha256 = models.CharField(max_length=64)
    state = models.CharField(max_length=8, choices=ImportState.choices, default=ImportState.READING)
    total = models.PositiveIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    summary = models.JSONField(default=dict)
    problem = models.CharField(max_length=300, blank=True)
    started_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")

    class Meta:
        triggers = [states.versioned(), states.fsm(IMPORT_MOVES, field="state", name="import_moves")]


class ImportAction(models.TextChoices):
    CREATE = "CREATE", _("Will be created")
    MATCH = "MATCH", _("Already there")
    UPDATE = "UPDATE", _("Adds what was missing")
    REFUSE = "REFUSE", _("Refused")


class ImportRow(models.Model):
    """One row: what was read, what will happen and why, and what was written (for the undo)."""

    batch = models.ForeignKey(ImportBatch, models.CASCADE, related_name="rows")
    number = models.PositiveIntegerField()
    raw = models.JSONField()
    action = models.CharField(max_length=6, choices=ImportAction.choices)
    notes = models.JSONField(default=list)
    plan = models.JSONField(default=dict)
    written = models.JSONField(default=dict)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["batch", "number"], name="importrow_once")]
        indexes = [models.Index(fields=["batch", "action"], name="importrow_action")]


class ApiClientQuerySet(ScopedQuerySet):
    def for_actor(self, by: Actor) -> Self:
        """A client may act in several stores; it is there for whoever is in one of them."""
        if by.kind == ActorKind.LINK or by.store_ids is None:
            return super().for_actor(by)
        places = ApiClient.stores.through.objects.filter(store_id__in=by.store_ids)
        return self.filter(pk__in=places.values("apiclient_id"))


class ApiClient(Root):
    """Another system that uses the API (7.3): its stores, its scopes, and when it last asked.

    ``acts_for`` is the person in whose name a device at a working place speaks; it then may what both may.
    """

    store_path = "stores"

    application = models.OneToOneField("oauth2_provider.Application", models.PROTECT, related_name="api_client")
    name = models.CharField(pgettext_lazy("thing", "name"), max_length=60, unique=True)
    stores = models.ManyToManyField(Store, related_name="+")
    scopes = ArrayField(models.CharField(max_length=80))
    acts_for = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    active = models.BooleanField(default=True)
    requests = models.PositiveBigIntegerField(default=0)
    errors = models.PositiveBigIntegerField(default=0)
    last_used_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[Any] = ApiClientQuerySet.as_manager()

    class Meta:
        triggers = [states.versioned()]

    def __str__(self) -> str:
        return self.name


explain_constraint("exchange_apiclient_name_key", "api_client.name", _("A client with this name already exists."))
