"""What schemathesis doesn't know by itself: ids that exist. Read by ``st run`` through SCHEMATHESIS_HOOKS.

A uid in a path becomes a real one of that resource in three cases out of four, and a ``…_uid`` in a body likewise; the
store, the version and the key are mostly ones that hold. So what is generated reaches the commands, not only the door.
Which one is chosen follows from the generated value, so a run asks the same every time.
"""

from __future__ import annotations

import itertools
import json
import os
import re
import zlib
from pathlib import Path
from typing import Any

import schemathesis
from schemathesis.core.parameters import ParameterLocation
from schemathesis.generation.meta import CoverageScenario

UIDS: dict[str, list[str]] = json.loads(Path(os.environ["API_UIDS"]).read_text())
FORM = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.I)
NAMED = {
    "payer_uid": "customers",
    "owner_uid": "customers",
    "kept_uid": "customers",
    "merged_uid": "customers",
    "technician_uid": "employees",
    "second_uid": "employees",
    "service_advisor_uid": "employees",
    "advisor_uid": "employees",
    "holder_uid": "employees",
    "keeper_uid": "employees",
    "subject_uid": "employees",
    "comeback_of_uid": "repair-orders",
    "failed_labor_operation_uid": "labor-operations",
    "replaces_uid": "dispatches",
    "other_uid": "parts",
    "replaced_appointment_uid": "appointments",
}
SHARE = int(os.environ["API_SHARE"])
SEEN: set[tuple[Any, ...]] = set()
COUNT = itertools.count(1)
HEADERS = {
    "Store-Code": (re.compile(r"[A-Za-z0-9]{1,4}"), lambda given: "BJ01"),
    "If-Match": (
        re.compile(r'\*|(W/)?"[!#-~]*"(, (W/)?"[!#-~]*")*'),
        lambda given: given if zlib.crc32(given.encode()) % 8 == 0 else "*",
    ),
    "Idempotency-Key": (re.compile(r"[!-~]{1,255}"), lambda given: f"schemathesis-{next(COUNT)}"),
}


def _resource_of(name: str) -> str:
    plural = name.removesuffix("_uid").replace("_", "-") + "s"
    return NAMED.get(name, plural.replace("ys", "ies") if plural not in UIDS else plural)


def _real(resource: str, value: Any) -> Any:
    if not isinstance(value, str) or not FORM.fullmatch(value) or not UIDS.get(resource):
        return value
    number = zlib.crc32(value.encode())
    return value if number % 4 == 0 else UIDS[resource][number // 4 % len(UIDS[resource])]


def _filled(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: _real(_resource_of(name), inner) if name.endswith("_uid") else _filled(inner)
            for name, inner in value.items()
        }
    return [_filled(inner) for inner in value] if isinstance(value, list) else value


@schemathesis.hook
def filter_case(context: Any, case: Any) -> bool:
    """Of each operation every kind of case once, and of its further ones one in ``API_SHARE``.

    A kind is: right or wrong, where, in which way; headers and methods, which one frame reads for all, are tried so on
    every resource. What is left out is the same said of another field; which one that is follows from the case, so it
    differs from operation to operation.
    """
    phase = case.meta.phase.data if case.meta else None
    if SHARE == 1 or not hasattr(phase, "scenario"):
        return True
    label = case.operation.label
    of_the_frame = (
        phase.parameter_location == ParameterLocation.HEADER
        or phase.scenario == CoverageScenario.UNSPECIFIED_HTTP_METHOD
    )
    whose = case.operation.path.split("/")[3] if of_the_frame else label
    kind = (whose, case.meta.generation.mode, phase.parameter_location, phase.scenario)
    if kind not in SEEN:
        SEEN.add(kind)
        return True
    return zlib.crc32(f"{label} {phase.location} {phase.parameter} {phase.description}".encode()) % SHARE == 0


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: dict[str, Any]) -> None:
    """Only what is right by its form is exchanged, so that wrong values stay wrong."""
    resource = case.operation.path.split("/")[3]
    if case.path_parameters and "uid" in case.path_parameters:
        case.path_parameters["uid"] = _real(resource, case.path_parameters["uid"])
    if case.query:
        case.query = _filled(case.query)
    if isinstance(case.body, dict):
        case.body = _filled(case.body)
    headers = case.headers or {}
    for name, (form, real) in HEADERS.items():
        if isinstance(headers.get(name), str) and form.fullmatch(headers[name]):
            headers[name] = real(headers[name])
