"""The OpenAPI 3.1 description, made of the same declarations that read and show, so that it can't disagree with them."""

from __future__ import annotations

from typing import Any

from django.utils import translation

from . import lists
from .references import REF_ID, REF_SYSTEM
from .resources import LISTINGS, RESOURCES, Command, Listing, One, Resource
from .shapes import Field, object_schema, object_schema_out

Schema = dict[str, Any]
TITLE = "Dealership service API"
DESCRIPTION = """Everything the service side of a car dealership does, as resources and commands.

Errors are `application/problem+json` (RFC 9457) without exception; `code` is stable, `errors` names each wrong value by
a JSON pointer. Every POST carries an `Idempotency-Key`: the same key with the same body gives the stored answer again.
What changes an existing item carries its `ETag` as `If-Match`. Lists are `{data, has_more, next_cursor}`. Personal data
is masked unless the token has the scope `personal:read`; each unmasked reading is logged. Times are RFC 3339 with
offset, money is a decimal string in the item's `currency_code`. Names follow the vocabulary of STAR where it has one."""

PROBLEM: Schema = {
    "type": "object",
    "description": "RFC 9457 problem details.",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string", "description": "Stable and machine-readable."},
        "detail": {"type": "string", "description": "What is wrong and what to do, in the caller's language."},
        "instance": {"type": "string"},
        "permission": {"type": "string", "description": "The permission that is missing."},
        "scope": {"type": "string", "description": "The scope with which a token has that permission."},
        "in_the_way": {
            "type": "object",
            "description": "What is there already, where the caller may see it.",
            "properties": {"resource": {"type": "string"}, "uid": {"type": "string", "format": "uuid"}},
            "required": ["resource", "uid"],
        },
        "free_at": {
            "type": "string",
            "format": "date-time",
            "description": "The next free time, where the one asked for is taken.",
        },
        "state": {"type": "string", "description": "The state in which the item is, where that is why."},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "pointer": {
                        "type": "string",
                        "description": "Where in the body (RFC 6901), ?name of a parameter, {name} of the address.",
                    },
                    "code": {"type": "string"},
                    "message": {"type": "string"},
                },
                "required": ["pointer", "code", "message"],
            },
        },
    },
    "required": ["type", "title", "status", "code", "detail"],
}
RESPONSES = {
    400: "The request can't be read, or a header or parameter is wrong.",
    401: "No valid token.",
    403: "The scope or permission is missing.",
    404: "Nothing here, or it belongs to another store.",
    406: "Only application/json is answered.",
    409: "A rule refused it; nothing was changed. `code` says which.",
    412: "It was changed since it was read.",
    415: "Only application/json is taken.",
    422: "Values can't be taken, or the Idempotency-Key was used for another body.",
    428: "If-Match is missing.",
    429: "Too many requests; wait for Retry-After seconds.",
    500: "Our fault; nothing was changed.",
}
TAGS = r'^(\*|(W/)?"[!#-~]*"(, (W/)?"[!#-~]*")*)$'
HEADERS: dict[str, Schema] = {
    "IdempotencyKey": {
        "name": "Idempotency-Key",
        "in": "header",
        "required": True,
        "description": "A new UUID for each new action; the same one for each retry.",
        "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
    },
    "IfMatch": {
        "name": "If-Match",
        "in": "header",
        "required": True,
        "description": "The ETag of the item as it was read.",
        "schema": {"type": "string", "minLength": 1, "pattern": TAGS},
    },
    "IfMatchByRef": {
        "name": "If-Match",
        "in": "header",
        "required": False,
        "description": "The ETag of the item as it was read; required when there is one, refused when there is none.",
        "schema": {"type": "string", "minLength": 1, "pattern": TAGS},
    },
    "IfNoneMatch": {
        "name": "If-None-Match",
        "in": "header",
        "required": False,
        "description": "The ETag already held; 304 when nothing changed.",
        "schema": {"type": "string", "minLength": 1, "pattern": "^[ -~]+$"},
    },
    "StoreCode": {
        "name": "Store-Code",
        "in": "header",
        "required": False,
        "description": "The store to act in, for clients of several stores.",
        "schema": {"type": "string", "minLength": 1, "maxLength": 4, "pattern": "^[A-Za-z0-9]+$"},
    },
}


def _header(name: str) -> Schema:
    return {"$ref": f"#/components/parameters/{name}"}


def _refusals(*codes: int) -> Schema:
    every = sorted({401, 403, 406, 429, 500, *codes})
    return {str(code): {"$ref": f"#/components/responses/{code}"} for code in every}


def _json(schema: Schema) -> Schema:
    return {"application/json": {"schema": schema}}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _query(known: dict[str, Field], required: tuple[str, ...] = ()) -> list[Schema]:
    made = []
    for name, field in known.items():
        schema = field.schema()
        parameter = {"name": name, "in": "query", "required": name in required, "schema": schema}
        if "description" in schema:
            parameter["description"] = schema.pop("description")
        made.append(parameter)
    return made


def _uid() -> Schema:
    return {"name": "uid", "in": "path", "required": True, "schema": {"type": "string", "format": "uuid"}}


def _etagged(name: str, description: str) -> Schema:
    header = {"description": "Strong; its version counts changes.", "schema": {"type": "string"}}
    return {"description": description, "headers": {"ETag": header}, "content": _json(_ref(name))}


def _body(schema: Schema) -> Schema:
    return {"required": True, "content": _json(schema)}


def _operation(resource: Resource, operation_id: str, summary: str, scope: str, **more: Any) -> Schema:
    security = [{"oauth2": [f"{resource.room}:{scope}"]}, {"session": []}]
    return {"operationId": operation_id, "summary": summary, "tags": [resource.path], "security": security, **more}


def item_schema(resource: Resource) -> Schema:
    """What one item looks like: exactly the fields that ``items_of`` gives."""
    fields: dict[str, Any] = resource.fields_out()
    properties = {name: field.schema_out() for name, field in fields.items()}
    for name, how in resource.expand.items():
        target = _ref(RESOURCES[how.target].name)
        one = {"oneOf": [target, {"type": "null"}]}
        properties[name] = one if isinstance(how, One) else {"type": "array", "items": target}
        properties[name]["description"] = f"Only with expand={name}."
    return {
        "type": "object",
        "description": resource.help,
        "properties": properties,
        "required": list(fields),
        "additionalProperties": False,
    }


def _command_schema(command: Command) -> Schema:
    return object_schema(command.fields())


def paths_of(resource: Resource) -> Schema:
    name, base = resource.name, f"/api/v1/{resource.path}"
    camel = name[0].lower() + name[1:]
    collection: Schema = {
        "get": _operation(
            resource,
            f"list{name}",
            f"List {resource.path}",
            "read",
            description=resource.help,
            parameters=[*_query(lists.parameters(resource)), _header("StoreCode")],
            responses={"200": {"description": "A page.", "content": _json(_ref(f"{name}List"))}, **_refusals(400)},
        )
    }
    if resource.create:
        collection["post"] = _operation(
            resource,
            f"create{name}",
            resource.create.help or f"Create one of {resource.path}",
            "write",
            parameters=[_header("IdempotencyKey"), _header("StoreCode")],
            requestBody=_body(_ref(f"{name}Create")),
            responses={"201": _etagged(name, "Created."), **_refusals(400, 409, 415, 422)},
        )
    item: Schema = {
        "get": _operation(
            resource,
            f"get{name}",
            f"Read one of {resource.path}",
            "read",
            parameters=[
                _uid(),
                *_query(lists.expand_parameter(resource)),
                _header("IfNoneMatch"),
                _header("StoreCode"),
            ],
            responses={
                "200": _etagged(name, "The item."),
                "304": {"description": "Not changed."},
                **_refusals(400, 404),
            },
        )
    }
    if resource.update:
        item["put"] = _operation(
            resource,
            f"replace{name}",
            resource.update.help or f"Correct one of {resource.path}",
            "write",
            parameters=[_uid(), _header("IfMatch"), _header("StoreCode")],
            requestBody=_body(_ref(f"{name}Update")),
            responses={"200": _etagged(name, "Corrected."), **_refusals(400, 404, 409, 412, 415, 422, 428)},
        )
    paths = {base: collection, f"{base}/{{uid}}": item}
    for action in resource.actions:
        paths[f"{base}/{{uid}}/actions/{action.verb}"] = {
            "post": _operation(
                resource,
                f"{camel}_{action.verb.replace('-', '_')}",
                action.help or action.verb,
                "write",
                parameters=[_uid(), _header("IdempotencyKey"), _header("IfMatch"), _header("StoreCode")],
                requestBody=_body(_command_schema(action)),
                responses={
                    "200": _etagged(name, "Done; the item as it is now."),
                    **_refusals(400, 404, 409, 412, 415, 422, 428),
                },
            )
        }
    if resource.refs:
        where = [
            {"name": "system", "in": "path", "required": True, "schema": REF_SYSTEM.schema()},
            {"name": "external_id", "in": "path", "required": True, "schema": REF_ID.schema()},
        ]
        named: Schema = {
            "get": _operation(
                resource,
                f"get{name}ByRef",
                "Read by another system's name for it",
                "read",
                parameters=[
                    *where,
                    *_query(lists.expand_parameter(resource)),
                    _header("IfNoneMatch"),
                    _header("StoreCode"),
                ],
                responses={
                    "200": _etagged(name, "The item."),
                    "304": {"description": "Not changed."},
                    **_refusals(400, 404, 422),
                },
            )
        }
        if resource.create:
            either = {"anyOf": [_ref(f"{name}Create"), _ref(f"{name}Update")]}
            corrected = {"200": _etagged(name, "Corrected.")} if resource.update else {}
            named["put"] = _operation(
                resource,
                f"upsert{name}ByRef" if resource.update else f"create{name}ByRef",
                "Create or correct by another system's name for it"
                if resource.update
                else "Create under another system's name for it; the same name again is refused (409)",
                "write",
                parameters=[*where, _header("IfMatchByRef"), _header("StoreCode")],
                requestBody=_body(either if resource.update else _ref(f"{name}Create")),
                responses={
                    **corrected,
                    "201": _etagged(name, "Created."),
                    **_refusals(400, 404, 409, 412, 415, 422, 428),
                },
            )
        paths[f"{base}/by-ref/{{system}}/{{external_id}}"] = named
    return paths


def _list_schema(items: Schema) -> Schema:
    return {
        "type": "object",
        "properties": {
            "data": {"type": "array", "items": items},
            "has_more": {"type": "boolean"},
            "next_cursor": {"type": ["string", "null"]},
        },
        "required": ["data", "has_more", "next_cursor"],
        "additionalProperties": False,
    }


def schemas_of(resource: Resource) -> Schema:
    made = {resource.name: item_schema(resource), f"{resource.name}List": _list_schema(_ref(resource.name))}
    if resource.create:
        made[f"{resource.name}Create"] = _command_schema(resource.create)
    if resource.update:
        made[f"{resource.name}Update"] = _command_schema(resource.update)
    return made


def _listing_path(listing: Listing) -> Schema:
    scope = "events:read" if listing.path == "events" else f"{listing.room}:read"
    scopes = [scope] if listing.view else []
    return {
        "get": {
            "operationId": f"list{listing.name}",
            "summary": f"List {listing.path}",
            "description": listing.help,
            "tags": [listing.path],
            "security": [{"oauth2": scopes}, {"session": []}],
            "parameters": [
                *_query({"limit": lists.LIMIT, **listing.parameters}, listing.required),
                _header("StoreCode"),
            ],
            "responses": {
                "200": {"description": "A page.", "content": _json(_ref(f"{listing.name}List"))},
                **_refusals(400, 409),
            },
        }
    }


def describe(scopes: dict[str, str]) -> Schema:
    """The whole description; ``scopes`` are the scopes with one sentence each. Always in English."""
    with translation.override("en"):
        paths: Schema = {}
        schemas: Schema = {"Problem": PROBLEM}
        for resource in RESOURCES.values():
            paths |= paths_of(resource)
            schemas |= schemas_of(resource)
        for listing in LISTINGS.values():
            paths[f"/api/v1/{listing.path}"] = _listing_path(listing)
            schemas[listing.name] = object_schema_out(listing.shape)
            schemas[f"{listing.name}List"] = _list_schema(_ref(listing.name))
        responses: Schema = {}
        for code, text in RESPONSES.items():
            responses[str(code)] = {
                "description": text,
                "content": {"application/problem+json": {"schema": _ref("Problem")}},
            }
        responses["429"]["headers"] = {"Retry-After": {"schema": {"type": "integer"}}}
        responses["401"]["headers"] = {"WWW-Authenticate": {"schema": {"type": "string"}}}
        flow = {"tokenUrl": "/api/v1/oauth/token", "scopes": {code: str(text) for code, text in sorted(scopes.items())}}
        return {
            "openapi": "3.1.0",
            "info": {"title": TITLE, "version": "1", "description": DESCRIPTION},
            "servers": [{"url": "/"}],
            "tags": [{"name": r.path, "description": r.help} for r in RESOURCES.values()]
            + [{"name": listing.path, "description": listing.help} for listing in LISTINGS.values()],
            "paths": dict(sorted(paths.items())),
            "components": {
                "schemas": dict(sorted(schemas.items())),
                "parameters": HEADERS,
                "responses": responses,
                "securitySchemes": {
                    "oauth2": {"type": "oauth2", "flows": {"clientCredentials": flow}},
                    "session": {"type": "apiKey", "in": "cookie", "name": "sessionid"},
                },
            },
        }
