"""The few views of the API: each is parse → command or read → item, inside one frame of checks and refusals."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from functools import cache
from typing import Any
from uuid import UUID

import orjson
from django.apps import apps
from django.core.exceptions import ObjectDoesNotExist
from django.db import connection, transaction
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt

from .. import clock
from ..actors import Actor, ActorKind
from ..errors import NotAllowed, RuleError
from ..models import ExternalRef, Root
from ..permissions import PERSONAL_READ
from ..services import name_root
from . import idempotency, lists, problems, ratelimit
from .auth import Caller, caller_of, note_refusal, scope_giving
from .items import encode, etag_of, items_of, lock, read_plainly, read_rows, shower
from .masking import is_masked
from .problems import Problem
from .references import REF_ID, REF_SYSTEM
from .resources import RESOURCES, Command, Listing, Resource, codes, masks_of, require_any
from .shapes import Choice, ListOf, MapOf, Nested, Refused, Uid, read_object, uids_in

Handler = Callable[..., HttpResponse]


def endpoint(**methods: Handler) -> Callable[..., HttpResponse]:
    """One URL of the API: its methods, and around them language, sign-in, rate, media types and problem+json."""

    @csrf_exempt  # a session's token is checked in ``caller_of``; a bearer token can't be sent by a foreign page
    def view(request: HttpRequest, **kwargs: Any) -> HttpResponse:
        language = language_of(request)
        with translation.override(language):
            response = answered(request, **kwargs)
        response.headers["Content-Language"] = language
        return response

    def answered(request: HttpRequest, **kwargs: Any) -> HttpResponse:
        caller: Caller | None = None
        try:
            method = "GET" if request.method == "HEAD" else request.method
            handler = methods.get(str(method))
            if handler is None:
                allowed = ", ".join(sorted({*methods, *(["HEAD"] if "GET" in methods else [])}))
                raise Problem(405, "method", _("This address doesn't know that method."), headers={"Allow": allowed})
            caller = caller_of(request)
            ratelimit.count(caller)
            _check_media_types(request)
            response = handler(request, caller, **kwargs)
        except Exception as exc:
            if caller is not None:
                note_refusal(caller)
            return problems.respond(explained(exc, caller), request.path)
        response.headers.setdefault("Cache-Control", "private, no-cache")
        response.headers["Vary"] = "Authorization, Accept-Language, Cookie"
        return response

    view.for_clients = True  # type: ignore[attr-defined]
    return view


def explained(exc: Exception, caller: Caller | None) -> Problem:
    """The problem behind an exception, with what this caller needs to go on: the scope, the item that is in the way."""
    if isinstance(exc, LeadsNowhere):
        return problems.invalid(Refused(leading_nowhere(exc)))
    problem = problems.of(exc)
    if caller is None:
        return problem
    if isinstance(exc, NotAllowed) and caller.actor.kind == ActorKind.CLIENT:
        if exc.permission in caller.granted:
            problem.detail = _("%(detail)s The person in whose name you act doesn't have it.") % {
                "detail": problem.detail
            }
        else:
            scope = scope_giving(exc.permission)
            problem.more["scope"] = scope
            problem.headers["WWW-Authenticate"] = f'Bearer realm="api", error="insufficient_scope", scope="{scope}"'
            problem.detail = _("%(detail)s The scope %(scope)s gives it.") % {"detail": problem.detail, "scope": scope}
    if isinstance(exc, RuleError) and exc.held_by is not None:
        way = in_the_way(exc.held_by, caller)
        if way:
            problem.more["in_the_way"] = way
    return problem


def in_the_way(root: Root, caller: Caller) -> dict[str, str] | None:
    """Resource and uid of what stands in the way of a command, where the caller may see it."""
    for resource in RESOURCES.values():
        if isinstance(root, resource.model) and any(caller.actor.may(code) for code in codes(resource.view)):
            seen = resource.base(caller.actor).filter(pk=root.pk).exists()
            return {"resource": resource.path, "uid": str(root.uid)} if seen else None
    return None


def language_of(request: HttpRequest) -> str:
    """Chinese unless the client asks for English first."""
    return "en" if request.headers.get("Accept-Language", "").strip().lower().startswith("en") else "zh-hans"


def _check_media_types(request: HttpRequest) -> None:
    if "Accept" in request.headers and not (
        request.accepts("application/json") or request.accepts(problems.MEDIA_TYPE)
    ):
        raise Problem(406, "not_acceptable", _("The API answers application/json only."))
    if request.method in ("POST", "PUT") and request.content_type != "application/json":
        raise Problem(415, "media_type", _("Send the body as application/json."))


def body_of(request: HttpRequest) -> Any:
    if not request.body:
        raise Problem(400, "json", _("The body is empty; send {} where there is nothing to say."))
    try:
        body = orjson.loads(request.body)
        _require_names_once(request.body)
        return body
    except orjson.JSONDecodeError as exc:
        if not _is_utf8(request.body):
            raise Problem(400, "json", _("The body isn't UTF-8; send the JSON in UTF-8, not in GBK.")) from None
        raise Problem(400, "json", _("The body is no JSON: %(why)s") % {"why": str(exc)[:120]}) from None


def _require_names_once(content: bytes) -> None:
    """An object that names a field twice says two things; which of them was meant is nobody's to guess."""

    def once(pairs: list[tuple[str, Any]]) -> None:
        seen: set[str] = set()
        for name, _value in pairs:
            if name in seen:
                raise Problem(400, "json", _("The body names “%(name)s” twice in one object.") % {"name": name[:60]})
            seen.add(name)

    try:
        # The values are read already; numbers aren't made again, however long they are.
        json.loads(content.decode(), object_pairs_hook=once, parse_int=len, parse_float=len)
    except RecursionError:
        raise Problem(400, "json", _("The body is nested too deeply.")) from None


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


def answer(item: Any, *, status: int = 200) -> HttpResponse:
    return HttpResponse(encode(item), content_type="application/json", status=status)


# reading


def listing(resource: Resource) -> Handler:
    def get(request: HttpRequest, caller: Caller) -> HttpResponse:
        require_any(caller.actor, resource.view)
        values = lists.read_query(request.GET, lists.parameters(resource))
        limit = values.get("limit", lists.DEFAULT_LIMIT)
        with _recording(resource, caller):
            if values.keys() <= {"limit", "expand"}:
                rows = read_plainly(resource, caller, limit=limit + 1)
            else:
                queryset, limit = lists.page(resource, resource.base(caller.actor), values)
                rows = read_rows(resource, queryset)
            has_more, rows = len(rows) > limit, rows[:limit]
            data = items_of(resource, rows, caller, lists.expand_of(values))
        cursor = lists.next_cursor(resource, rows[-1], values) if has_more else None
        return answer({"data": data, "has_more": has_more, "next_cursor": cursor})

    return get


def rows_of(source: Listing) -> Handler:
    def get(request: HttpRequest, caller: Caller) -> HttpResponse:
        if source.view:
            require_any(caller.actor, source.view)
        values = lists.read_query(request.GET, {"limit": lists.LIMIT, **source.parameters}, source.required)
        try:
            rows, has_more, cursor = source.read({"limit": lists.DEFAULT_LIMIT} | values, caller.actor)
        except RuleError as refusal:
            raise _of_parameter(refusal, source) from refusal
        plan = [(name, field.source or name, shower(field)) for name, field in source.shape.items()]
        data = [{name: show(row[key]) if show else row[key] for name, key, show in plan} for row in rows]
        return answer({"data": data, "has_more": has_more, "next_cursor": cursor})

    return get


def _of_parameter(refusal: RuleError, source: Listing) -> Problem:
    """What a list refuses are its parameters; which store is meant is asked alike everywhere."""
    errors = None
    if refusal.field in source.parameters:
        errors = [{"pointer": f"?{refusal.field}", "code": refusal.code, "message": str(refusal)}]
    return Problem(400 if refusal.code == "store.choose" else 409, refusal.code, str(refusal), errors=errors)


def _recording(resource: Resource, caller: Caller) -> Any:
    """Reading personal data unmasked writes history, so it runs in a transaction; other reads need none."""
    return transaction.atomic() if caller.unmasked else nullcontext()


def single(resource: Resource, uid: UUID, caller: Caller, expand: list[str] | None = None) -> dict[str, Any]:
    with _recording(resource, caller):
        rows = read_plainly(resource, caller, uid=uid)
        if not rows:
            raise problems.missing()
        return items_of(resource, rows, caller, expand or [])[0]


def shown(item: dict[str, Any], request: HttpRequest, *, status: int = 200) -> HttpResponse:
    """The item with its ETag; 304 where the reader already has exactly this."""
    response = answer(item, status=status)
    tag = etag_of(item, response.content)
    if request.method in ("GET", "HEAD") and "If-None-Match" in request.headers:
        held = request.headers["If-None-Match"]
        if not (held and held.isascii() and held.isprintable()):
            raise Problem(400, "if_none_match", _("Send the ETag you hold in If-None-Match, or leave the header out."))
        if held.strip() == "*" or tag in _tags(held):
            response = HttpResponse(status=304)
    response.headers["ETag"] = tag
    return response


def _tags(header: str) -> set[str]:
    return {tag.strip().removeprefix("W/") for tag in header.split(",")}


def detail(resource: Resource) -> Handler:
    def get(request: HttpRequest, caller: Caller, uid: UUID) -> HttpResponse:
        require_any(caller.actor, resource.view)
        values = lists.read_query(request.GET, lists.expand_parameter(resource))
        item = single(resource, uid, caller, lists.expand_of(values))
        return shown(item, request)

    return get


# commands


def _one_store(caller: Caller, root: Root | None = None) -> Actor:
    """A command is carried out in one store: that of the item, or the one the client names."""
    actor = caller.actor
    if actor.store_ids is not None and len(actor.store_ids) == 1:
        return actor
    store_id = getattr(root, "store_id", None)
    if store_id is not None and actor.in_store(store_id):
        return replace(actor, store_ids=frozenset({store_id}))
    raise Problem(400, "store.choose", _("Your client acts in several stores; name one in the header Store-Code."))


def carry_out(command: Command, body: Any, given: dict[str, Any], actor: Actor, **more: Any) -> Any:
    """Runs the command as of the stated hour; a uid in the body that leads nowhere is 422, not 404.

    ``given`` is the ``body`` as read.
    """
    if not actor.may(PERSONAL_READ):
        _refuse_masked(body)
    at, reason = given.pop("happened_at", None), given.pop("happened_reason", "")
    with clock.reported_at(at, reason) if at else nullcontext():
        try:
            result = command.run(**given, **more, by=actor)
        except RuleError as refusal:
            refusal.field = pointed_at(command, refusal)
            if refusal.code == "employee.missing" and actor.kind == ActorKind.CLIENT:
                refusal.text = _nobody(refusal.field)
            raise
        except ObjectDoesNotExist as exc:
            raise LeadsNowhere(command, body, actor, exc) from exc
    # What the database checks at the end of a transaction is an answer too, not a surprise after it.
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")
    return result


def _nobody(field: str | None) -> str:
    """What a client that speaks for nobody has to do where a person is needed."""
    if field:
        return _("This is a person's to do: say in %(field)s who does it.") % {"field": field}
    return _(
        "This is a person's to do, and the body can't name one: use a client that speaks for that person "
        "(manage.py api_client … --acts-for LOGIN)."
    )


def _refuse_masked(body: dict[str, Any]) -> None:
    """What was read masked and is sent back would stand in place of the name, the number, the words."""
    message = _("This is the masked form that you read. Send the true value, or leave the field out.")
    errors = [
        {"pointer": f"/{name}", "code": "masked", "message": message}
        for name, value in body.items()
        if isinstance(value, str) and "*" in value and any(is_masked(mask, value) for mask in masks_of(name))
    ]
    if errors:
        raise Refused(errors)


def pointed_at(command: Command, refusal: RuleError) -> str | None:
    """Where in the body stands what a refusal speaks of; None where the body has no such place.

    ``technician`` of a command is ``technician_uid``, a code that is the key of an object stands in that object, a
    person who is missing is the one whom the body may name.
    """
    fields, keyword = command.fields(), refusal.field
    if refusal.code == "employee.missing":
        return next((name for name, field in fields.items() if isinstance(field, Uid) and field.person), None)
    if not keyword:
        return None
    names = {name: name for name in fields} | {field.source or name: name for name, field in fields.items()}
    if found := names.get(keyword) or names.get(f"{keyword}_uid"):
        return found
    for name, field in fields.items():
        if isinstance(field, MapOf) and isinstance(field.key, Choice) and keyword in field.key.codes():
            return f"{name}/{keyword}"
        inner = field.inner if isinstance(field, ListOf) else field
        if isinstance(inner, Nested) and any(keyword in (key, f.source) for key, f in inner.fields.items()):
            return name
    return None


class LeadsNowhere(Exception):
    """A command didn't find what a uid of its body stands for."""

    def __init__(self, command: Command, body: Any, actor: Actor, sought: ObjectDoesNotExist) -> None:
        self.command, self.body, self.actor, self.sought = command, body, actor, sought
        super().__init__("leads nowhere")


@cache
def _tables_with_uids() -> tuple[list[type[Model]], str]:
    kinds = [model for model in apps.get_models() if any(f.name == "uid" for f in model._meta.fields)]
    quote = connection.ops.quote_name
    names = [quote(model._meta.db_table) for model in kinds]
    looks = [f"SELECT {n} FROM {name} WHERE uid = ANY(%(uids)s::uuid[])" for n, name in enumerate(names)]  # noqa: S608
    return kinds, " UNION ALL ".join(looks)


def kinds_of(uids: list[UUID]) -> list[type[Model]]:
    """The models that have a row with one of these uids, whoever may see it; one question for all tables."""
    if not uids:
        return []
    kinds, looks = _tables_with_uids()
    with connection.cursor() as cursor:
        cursor.execute(looks, {"uids": [str(uid) for uid in uids]})
        return [kinds[n] for n in sorted({row[0] for row in cursor.fetchall()})]


def leading_nowhere(exc: LeadsNowhere) -> list[dict[str, str]]:
    """Names the uids of the body behind which there is nothing that the caller may see, or nothing of the kind sought.

    Asked when the transaction is over.
    """
    named = list(uids_in(exc.command.fields(), exc.body))
    seen: dict[UUID, set[Any]] = {uid: set() for _pointer, uid in named}
    for model in kinds_of(list(seen)):
        rows: Any = model._default_manager.filter(uid__in=seen)
        if hasattr(rows, "for_actor"):
            rows = rows.for_actor(exc.actor)
        for uid in rows.values_list("uid", flat=True):
            seen[uid].add(model)
    lost = [pair for pair in named if not seen[pair[1]]]
    if not lost:  # a uid of something else: one whose name says another kind than it is, else any that isn't sought
        lost = [(at, uid) for at, uid in named if not any(isinstance(exc.sought, m.DoesNotExist) for m in seen[uid])]
        astray = [(at, uid) for at, uid in lost if not any(m._meta.model_name in at for m in seen[uid])]
        lost = astray or lost
    message = _("This uid leads to nothing that you may see: %(uid)s")
    errors = [
        {"pointer": pointer, "code": "reference", "message": message % {"uid": str(uid)}} for pointer, uid in lost
    ]
    return errors or [
        {
            "pointer": "",
            "code": "reference",
            "message": _("Something that this needs isn't there, or belongs to another store."),
        }
    ]


def created(resource: Resource, uid: UUID, caller: Caller, request: HttpRequest) -> HttpResponse:
    response = shown(single(resource, uid, caller), request, status=201)
    response.headers["Location"] = f"/api/v1/{resource.path}/{uid}"
    return response


def create(resource: Resource) -> Handler:
    command = resource.create
    assert command is not None

    def post(request: HttpRequest, caller: Caller) -> HttpResponse:
        command.require(caller.actor)

        def run() -> HttpResponse:
            lists.read_query(request.GET, {})
            body = body_of(request)
            given = read_object(command.fields(), body)
            root = carry_out(command, body, given, _one_store(caller))
            return created(resource, root.uid, caller, request)

        return idempotency.once(request, caller, run)

    return post


def act(resource: Resource) -> Handler:
    def post(request: HttpRequest, caller: Caller, uid: UUID, verb: str) -> HttpResponse:
        action = resource.action(verb)
        if action is None:
            raise problems.missing()
        action.require(caller.actor)

        def run() -> HttpResponse:
            lists.read_query(request.GET, {})
            body = body_of(request)
            given = read_object(action.fields(), body)
            root = lock(resource, uid, caller, request.headers.get("If-Match"))
            carry_out(action, body, given, _one_store(caller, root), **{action.uid: uid})
            return shown(single(resource, uid, caller), request)

        return idempotency.once(request, caller, run)

    return post


def put(resource: Resource) -> Handler:
    def handler(request: HttpRequest, caller: Caller, uid: UUID) -> HttpResponse:
        with transaction.atomic():
            return _replace(resource, uid, request, caller)

    return handler


def _replace(resource: Resource, uid: UUID, request: HttpRequest, caller: Caller) -> HttpResponse:
    """Corrects an item. What already stands as sent is no refusal: a PUT twice is the same as once."""
    command = resource.update
    assert command is not None
    command.require(caller.actor)
    lists.read_query(request.GET, {})
    body = body_of(request)
    given = read_object(command.fields(), body)
    root = lock(resource, uid, caller, request.headers.get("If-Match"))
    try:
        carry_out(command, body, given, _one_store(caller, root), uid=uid)
    except RuleError as refusal:
        if not refusal.code.endswith(".unchanged"):
            raise
    return shown(single(resource, uid, caller), request)


# by the name another system has for it


def _reference(resource: Resource, system: str, external_id: str, *, locked: bool = False) -> UUID | None:
    REF_SYSTEM.take(system, "{system}")
    REF_ID.take(external_id, "{external_id}")
    if locked:  # two systems upserting the same name at once: the second one finds what the first one made
        with connection.cursor() as cursor:
            name = f"{resource.root_type}\n{system}\n{external_id}"
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 17))", [name])
    refs = ExternalRef.objects.filter(system=system, root_type=resource.root_type, external_id=external_id)
    return refs.values_list("root_uid", flat=True).first()


def detail_by_ref(resource: Resource) -> Handler:
    def get(request: HttpRequest, caller: Caller, system: str, external_id: str) -> HttpResponse:
        require_any(caller.actor, resource.view)
        uid = _reference(resource, system, external_id)
        if uid is None:
            raise problems.missing()
        return detail(resource)(request, caller, uid=uid)

    return get


def put_by_ref(resource: Resource) -> Handler:
    """Creates under the other system's name (201), or corrects what is there (200, with If-Match).

    What can't be corrected but only moved by its actions is created once; the same name again is refused.
    """
    command = resource.create
    assert command is not None

    def handler(request: HttpRequest, caller: Caller, system: str, external_id: str) -> HttpResponse:
        command.require(caller.actor)
        with transaction.atomic():
            uid = _reference(resource, system, external_id, locked=True)
            if uid is not None:
                if request.headers.get("If-None-Match", "").strip() == "*":
                    raise Problem(412, "reference.exists", _("There is already an item under this reference."))
                if resource.update is None:
                    raise Problem(
                        409,
                        "reference.exists",
                        _("There is already an item under this reference; read it there and use its actions."),
                        headers={"Location": f"/api/v1/{resource.path}/{uid}"},
                    )
                return _replace(resource, uid, request, caller)
            if "If-Match" in request.headers:
                raise Problem(412, "if_match.nothing", _("There is no item under this reference yet."))
            lists.read_query(request.GET, {})
            body, actor = body_of(request), _one_store(caller)
            given = read_object(command.fields(), body)
            root = carry_out(command, body, given, actor)
            name_root(root, root_type=resource.root_type, system=system, external_id=external_id, by=actor)
            return created(resource, root.uid, caller, request)

    return handler


# what isn't there


@csrf_exempt
def unknown(request: HttpRequest) -> HttpResponse:
    with translation.override(language_of(request)):
        nowhere = _("The API has no such address; what it has is described at /api/v1/docs.")
        return problems.respond(Problem(404, "not_found", nowhere), request.path)
