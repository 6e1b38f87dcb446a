"""Check sheets as they are written: drafted, filled, released from a day on, followed by the next version (3.1)."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from dealership.catalogue.check_models import CheckItem, CheckLimit, CheckTemplate
from dealership.catalogue.models import VehicleModel
from dealership.catalogue.services import sheets
from dealership.kernel import clock
from dealership.kernel.actors import Actor
from dealership.kernel.errors import NotAllowed
from dealership.kernel.models import History
from tests.factories.api import ApiCaller, problem
from tests.factories.reception import rule
from tests.factories.staff import actor_for, make_employee, make_store

pytestmark = pytest.mark.django_db
LAMP = {"code": "LAMP", "section": "LIGHTS", "kind": "NUMBER", "name": "灯光亮度", "unit": "lx"}


@pytest.fixture
def director():
    return make_employee(make_store(), "techdirector")


@pytest.fixture
def by(director) -> Actor:
    return actor_for(director)


def draft(by: Actor, **item: Any) -> CheckTemplate:
    template = sheets.draft_template(code="HAND", name="交车检查", by=by)
    return sheets.put_check_item(template_uid=template.uid, by=by, **(LAMP | item))


def test_a_released_sheet_holds_until_the_next_version_does(by: Actor, refused: Any) -> None:
    first, today = draft(by, red_below=Decimal(3)), clock.today()
    sheets.put_check_limit(template_uid=first.uid, code="LAMP", powertrain="BEV", red_below=Decimal(4), by=by)
    sheets.release_template(uid=first.uid, starts_on=today, by=by)
    second = sheets.draft_next_template(uid=first.uid, by=by)
    assert (second.number, second.items.get().red_below) == (2, Decimal(3))
    assert second.items.get().limits.get().red_below == Decimal(4)
    with rule("template.draft_exists"):
        sheets.draft_next_template(uid=first.uid, by=by)
    with rule("template.later"):
        sheets.release_template(uid=second.uid, starts_on=today, by=by)
    sheets.release_template(uid=second.uid, starts_on=today + timedelta(days=10), by=by)
    first.refresh_from_db()
    assert (first.ends_on, first.state) == (today + timedelta(days=9), "RELEASED")
    told = History.objects.filter(code="catalogue.check_template.followed").get()
    assert (told.root_uid, told.changed) == (first.uid, {"ends_on": [None, str(first.ends_on)]})
    for command, given in (
        (sheets.put_check_item, {"template_uid": first.uid, **LAMP}),
        (sheets.put_check_limit, {"template_uid": first.uid, "code": "LAMP", "powertrain": "ICE"}),
        (sheets.drop_check_item, {"template_uid": first.uid, "code": "LAMP"}),
        (sheets.release_template, {"uid": first.uid, "starts_on": today}),
        (sheets.discard_template, {"uid": first.uid}),
    ):
        with rule("template.released"):
            command(by=by, **given)
    with refused("checktemplate_released_is_fixed") as run:
        run("UPDATE catalogue_checktemplate SET name = '别的' WHERE id = %s", [first.pk])
    with refused("checkitem_of_a_draft") as run:
        run("UPDATE catalogue_checkitem SET red_below = 1 WHERE template_id = %s", [first.pk])
    with refused("checklimit_of_a_draft") as run:
        run(
            "UPDATE catalogue_checklimit SET red_below = 1 WHERE item_id IN"
            " (SELECT id FROM catalogue_checkitem WHERE template_id = %s)",
            [first.pk],
        )
    third = sheets.draft_next_template(uid=second.uid, by=by)
    with refused("checktemplate_one_a_day") as run:
        run(
            "UPDATE catalogue_checktemplate SET state = 'RELEASED', starts_on = %s WHERE id = %s",
            [today + timedelta(days=10), third.pk],
        )


def test_refusals_change_nothing(by: Actor) -> None:
    template = draft(by)
    empty = sheets.draft_template(code="EMPTY", name="空表", by=by)
    technician = actor_for(make_employee(make_store(), "technician"))
    before = (CheckTemplate.objects.count(), CheckItem.objects.count(), CheckLimit.objects.count())
    lines = History.objects.count()
    item = {"template_uid": template.uid, **LAMP}
    limit = {"template_uid": template.uid, "code": "LAMP", "red_below": Decimal(1)}
    for code, command, given in (
        ("template.name", sheets.draft_template, {"code": "X1", "name": " "}),
        ("template.exists", sheets.draft_template, {"code": "hand", "name": "又一张"}),
        ("template.empty", sheets.release_template, {"uid": empty.uid, "starts_on": date(2026, 1, 1)}),
        ("check_item.name", sheets.put_check_item, item | {"name": " "}),
        ("check_item.choice", sheets.put_check_item, item | {"section": "ROOF"}),
        ("check_item.choice", sheets.put_check_item, item | {"powertrains": ["STEAM"]}),
        ("check_item.unit", sheets.put_check_item, item | {"unit": ""}),
        ("check_item.unit", sheets.put_check_item, item | {"kind": "RATING"}),
        ("check_item.bounds", sheets.put_check_item, item | {"red_below": Decimal(3), "yellow_below": Decimal(2)}),
        ("check_item.gone", sheets.drop_check_item, {"template_uid": template.uid, "code": "NONE"}),
        ("check_item.scope", sheets.put_check_limit, limit),
        ("check_item.gone", sheets.put_check_limit, limit | {"code": "NONE", "powertrain": "BEV"}),
    ):
        with rule(code):
            command(by=by, **given)
    with pytest.raises(NotAllowed):
        sheets.draft_template(code="MINE", name="我的", by=technician)
    assert (CheckTemplate.objects.count(), CheckItem.objects.count(), CheckLimit.objects.count()) == before
    assert History.objects.count() == lines


def test_the_director_writes_and_releases_a_sheet_on_the_pages(client: Client, director) -> None:
    client.force_login(director.user)
    answer = client.post(reverse("check-template-new"), {"code": "hand", "name": "交车检查", "with_maintenance": "on"})
    template = CheckTemplate.objects.get(code="HAND")
    address = reverse("check-template", args=[template.uid])
    assert (answer["Location"], template.with_maintenance) == (address, True)
    assert "表中还没有检查项" in client.get(address).content.decode()
    items = reverse("check-item", args=[template.uid])
    wrong = client.post(items, LAMP | {"unit": "", "red_below": "3"})
    assert (wrong.status_code, list(wrong.context["form"].errors)) == (422, ["unit"])
    assert wrong.context["form"]["name"].value() == "灯光亮度"
    client.post(items, LAMP | {"red_below": "3", "is_safety": "on", "powertrains": ["BEV", "PHEV"]})
    again = client.get(items, {"code": "LAMP"})
    assert (again.context["form"]["red_below"].value(), again.context["form"]["powertrains"].value()) == (
        Decimal("3.00"),
        ["BEV", "PHEV"],
    )
    model = VehicleModel.objects.get(name="双擎 2.0")
    bounds = reverse("check-limit", args=[template.uid])
    neither = client.post(bounds, {"code": "LAMP", "red_below": "4"})
    assert (neither.status_code, list(neither.context["form"].errors)) == (422, ["powertrain"])
    client.post(bounds, {"code": "LAMP", "model": str(model.uid), "red_below": "4.5"})
    there = client.get(bounds, {"code": "LAMP", "model": str(model.uid)})
    assert there.context["form"]["red_below"].value() == Decimal("4.50")
    page = client.get(address).content.decode()
    assert "&lt; 4.5" in page
    assert str(model) in page
    client.post(reverse("check-release", args=[template.uid]), {"starts_on": clock.today().isoformat()})
    released = client.get(address).content.decode()
    assert (reverse("check-template-next", args=[template.uid]) in released, items in released) == (True, False)
    client.post(reverse("check-template-next", args=[template.uid]))
    following = CheckTemplate.objects.get(code="HAND", number=2)
    client.post(reverse("check-item-drop", args=[following.uid]), {"code": "LAMP"})
    assert (following.items.count(), template.items.count()) == (0, 1)
    assert "第 2 版" in client.get(reverse("check-templates")).content.decode()
    client.post(reverse("check-template-discard", args=[following.uid]))
    assert CheckTemplate.objects.filter(code="HAND").count() == 1


def test_programs_read_the_sheets_and_write_them_as_a_person_who_may(director) -> None:
    program = ApiCaller("catalogue:write", store=director.store, acts_for=director.user)
    made = program.post("check-templates", {"code": "HAND", "name": "交车检查"}).json()
    program.act(f"check-templates/{made['uid']}", "put-item", LAMP)
    program.act(
        f"check-templates/{made['uid']}", "put-limit", {"code": "LAMP", "powertrain": "BEV", "red_below": "4.00"}
    )
    read = program.get(f"check-templates/{made['uid']}").json()
    assert [(row["code"], row["unit"], row["red_below"]) for row in read["items"]] == [("LAMP", "lx", None)]
    assert [(row["item_code"], row["powertrain"], row["red_below"]) for row in read["limits"]] == [
        ("LAMP", "BEV", "4.00")
    ]
    problem(program.act(f"check-templates/{made['uid']}", "draft-next"), 409, "template.draft_exists")
