"""Another system runs a whole visit with a client made from the committed description (issue: shown by 1)."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings

from dealership.kernel.models import History, User
from tests.exchange.client_from_openapi import method_name, write_client
from tests.exchange.shop import Shop

HERE = Path(__file__).parent
PEOPLE = [
    "receptionist",
    "advisor",
    "foreman",
    "leader",
    "technician",
    "inspector",
    "supervisor",
    "parts",
    "cashier",
    "accountant",
    "care",
    "hr",
    "manager",
]


@pytest.fixture(scope="module")
def description() -> dict[str, Any]:
    return yaml.safe_load((settings.BASE_DIR / "docs" / "openapi.yaml").read_text(encoding="utf-8"))


def test_every_operation_becomes_a_method(description) -> None:
    source = write_client(description)
    (made,) = (node for node in ast.parse(source).body if isinstance(node, ast.ClassDef) and node.name == "Client")
    methods = {node.name for node in made.body if isinstance(node, ast.FunctionDef)}
    every = [op["operationId"] for path in description["paths"].values() for op in path.values()]
    assert {method_name(name) for name in every} <= methods
    assert len({method_name(name) for name in every}) == len(every)


def test_a_program_finishes_a_visit(shop: Shop, live_server, description, tmp_path) -> None:
    """In a process of its own, where no package is installed: what isn't in the standard library can't be imported."""
    (tmp_path / "client_of_the_api.py").write_text(write_client(description), encoding="utf-8")
    checklist = description["components"]["schemas"]["DeliveryCreate"]["properties"]["checklist"]
    told = {
        "base": live_server.url,
        "folder": str(tmp_path),
        "credentials": {login: shop.credentials(login) for login in PEOPLE},
        "numbers": {"technician": User.objects.get(username="technician").employee.number},
        "checklist": checklist["propertyNames"]["enum"],
    }
    program = subprocess.Popen(
        [sys.executable, "-I", "-S", "-X", "utf8", str(HERE / "visit_by_program.py")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )
    try:
        said = _serve(program, told, shop)
    finally:
        program.kill()
        _out, wrong = program.communicate()
    assert said, wrong
    assert said["foreign"] == []
    lines = History.objects.filter(visit_uid=said["done"]).exclude(actor_kind="MACHINE")
    assert set(lines.values_list("actor_kind", flat=True)) == {"CLIENT"}
    codes = set(lines.values_list("code", flat=True))
    assert {
        "reception.visit.arrived",
        "workshop.repair_order.opened",
        "workshop.line.authorized",
        "workshop.inspection.failed",
        "delivery.settlement.signed",
        "delivery.payment.refunded",
        "delivery.handover.done",
        "delivery.gate_pass.scanned_out",
        "reception.visit.departed",
        "quality.complaint.closed",
    } <= codes


def _serve(program: Any, told: dict[str, Any], shop: Shop) -> dict[str, Any]:
    """Moves the clock and lets the background work happen as the program asks; its last line is returned."""
    wishes: dict[str, Callable[[Any], None]] = {"at": lambda at: shop.at(*at), "relay": lambda _on: shop.relay()}
    program.stdin.write(json.dumps(told) + "\n")
    program.stdin.flush()
    for line in program.stdout:
        wish = json.loads(line)
        if "done" in wish:
            return wish
        ((name, value),) = wish.items()
        wishes[name](value)
        program.stdin.write("ok\n")
        program.stdin.flush()
    return {}
