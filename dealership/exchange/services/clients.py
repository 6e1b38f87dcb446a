"""API clients: made once with credentials that are shown once, read by token, withdrawn (7.3)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext_lazy as _
from oauth2_provider.generators import generate_client_id, generate_client_secret
from oauth2_provider.models import AccessToken, Application

from dealership.exchange import events, permissions, scopes
from dealership.exchange.models import ApiClient
from dealership.kernel import clock, limits
from dealership.kernel.actors import Actor, ActorKind
from dealership.kernel.api import auth
from dealership.kernel.errors import RuleError
from dealership.kernel.history import record
from dealership.kernel.models import Store, User
from dealership.kernel.services import actor_of


@dataclass(frozen=True, slots=True)
class Credentials:
    """Shown once; the secret is kept as a hash only."""

    client: ApiClient
    client_id: str
    client_secret: str


def _one_store(places: list[Store]) -> int | None:
    """What is done to a client of one store is that store's line of history, else the group's."""
    return places[0].pk if len(places) == 1 else None


@transaction.atomic
def create_api_client(
    *, name: str, stores: Iterable[Store], scope: Iterable[str], by: Actor, acts_for: User | None = None
) -> Credentials:
    """Lets another system in with the named scopes and stores. Raises RuleError for unknown scopes or no store."""
    by.require(permissions.CLIENTS_MANAGE)
    wanted, places = sorted(set(scope)), list(stores)
    unknown = [code for code in wanted if code not in scopes.table()]
    if unknown or not wanted:
        raise RuleError(
            "api_client.scope", _("There is no scope “%(scope)s”."), field="scopes", scope=", ".join(unknown) or "–"
        )
    if not places:
        raise RuleError("api_client.store", _("Name at least one store the client acts in."), field="stores")
    if not name.strip() or ApiClient.objects.filter(name=name.strip()).exists():
        raise RuleError("api_client.name", _("A client with this name already exists."), field="name")
    secret = generate_client_secret()
    application = Application.objects.create(
        name=name.strip(),
        client_id=generate_client_id(),
        client_secret=secret,
        client_type=Application.CLIENT_CONFIDENTIAL,
        authorization_grant_type=Application.GRANT_CLIENT_CREDENTIALS,
    )
    client = ApiClient.objects.create(application=application, name=name.strip(), scopes=wanted, acts_for=acts_for)
    client.stores.set(places)
    record(
        client,
        events.CLIENT_CREATED,
        by=by,
        store_id=_one_store(places),
        scopes=wanted,
        stores=[store.code for store in places],
        acts_for=acts_for.uid if acts_for else None,
    )
    return Credentials(client, application.client_id, secret)


@transaction.atomic
def withdraw_api_client(*, uid: UUID, by: Actor) -> ApiClient:
    """Closes the door: no new tokens, and the present ones end within seconds."""
    by.require(permissions.CLIENTS_MANAGE)
    client = ApiClient.objects.for_actor(by).locked().get(uid=uid)
    if not client.active:
        raise RuleError("api_client.withdrawn", _("This client was withdrawn before."))
    client.active = False
    client.save(update_fields=["active"])
    client.application.client_secret = generate_client_secret()  # nobody ever sees this one
    client.application.save(update_fields=["client_secret"])
    AccessToken.objects.filter(application=client.application).delete()
    record(client, events.CLIENT_WITHDRAWN, by=by, store_id=_one_store(list(client.stores.all())))
    return client


def caller_by_token(token: str, requests: int) -> auth.Caller | None:
    """The client behind a bearer token, or None; counts its requests since the last look."""
    row = (
        AccessToken.objects.select_related("application__api_client__acts_for")
        .filter(token_checksum=_checksum(token))
        .first()
    )
    client = getattr(row.application, "api_client", None) if row else None
    if row is None or row.is_expired() or client is None or not client.active:
        return None
    key = f"client:{client.uid}"
    asked, refused = auth.take_counts(key)
    ApiClient.objects.filter(pk=client.pk).update(
        requests=F("requests") + requests + asked, errors=F("errors") + refused, last_used_at=clock.written_now()
    )
    stores = list(client.stores.all())
    allowed = granted = scopes.permissions_of(set(row.scope.split()) & scopes.with_implied(client.scopes))
    if client.acts_for is not None:
        allowed &= actor_of(client.acts_for, stores[0]).permissions
    actor = Actor(
        ActorKind.CLIENT,
        str(client.uid),
        allowed,
        frozenset(store.pk for store in stores),
        user=client.acts_for,
    )
    per_minute = limits.value("exchange.api_requests_per_minute")
    return auth.Caller(actor, key, per_minute, row.expires.timestamp(), granted)


def _checksum(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
