"""2.1.2 环检: what is written down, marked, photographed and signed, and what is refused."""

from __future__ import annotations

import pytest
from django.utils.translation import override

from dealership.kernel.errors import RuleError
from dealership.kernel.models import History
from dealership.process.selectors.timeline import timeline
from reception.models import DamageMark, OdometerReading, Vehicle, Visit, WalkAround
from reception.services import visits, walkarounds
from tests.factories.reception import make_picture, make_received_visit, make_signed_visit, make_visit
from tests.factories.staff import make_actor, make_store

pytestmark = pytest.mark.django_db


@pytest.fixture
def advisor():
    return make_actor(make_store("BJ01"), "advisor")


def state_of():
    return (
        list(WalkAround.objects.order_by("pk").values()),
        list(DamageMark.objects.order_by("pk").values()),
        list(Visit.objects.order_by("pk").values()),
        list(Vehicle.objects.order_by("pk").values_list("pk", "odometer_km", "version")),
        History.objects.count(),
    )


def unchanged(command, **values):
    before = state_of()
    with pytest.raises(RuleError) as refusal:
        command(**values)
    assert state_of() == before
    return refusal.value


COMPLETE = {"odometer_km": 63208, "energy_eighths": 5, "old_parts": "TAKE", "no_valuables": True}


def test_what_is_named_is_saved_and_the_rest_stays(advisor):
    visit = make_received_visit(advisor)
    walkarounds.save_walkaround(visit_uid=visit.uid, odometer_km=63208, own_words="刹车有异响", by=advisor)
    saved = walkarounds.save_walkaround(
        visit_uid=visit.uid,
        energy_eighths=5,
        warning_lights=["TPMS", "ABS"],
        belongings=["TOOLS", "SPARE_WHEEL"],
        kit_fitted=True,
        waiting_mode="LEAVE",
        by=advisor,
    )
    assert (saved.odometer_km, saved.energy_eighths, saved.own_words) == (63208, 5, "刹车有异响")
    assert (saved.warning_lights, saved.belongings) == (["ABS", "TPMS"], ["SPARE_WHEEL", "TOOLS"])
    visit.refresh_from_db()
    assert visit.waiting_mode == "LEAVE"
    first, second = History.objects.filter(code="reception.walkaround.saved").order_by("id")
    assert (first.changed, first.facts) == ({"odometer_km": [None, 63208]}, {"own_words": True})
    assert second.changed == {
        "energy_eighths": [None, 5],
        "warning_lights": [[], ["ABS", "TPMS"]],
        "belongings": [[], ["SPARE_WHEEL", "TOOLS"]],
        "kit_fitted": [False, True],
        "waiting_mode": ["WAIT_AT_DEALER", "LEAVE"],
    }


def test_saving_what_is_there_writes_no_line(advisor):
    visit = make_received_visit(advisor)
    walkarounds.save_walkaround(visit_uid=visit.uid, odometer_km=63208, by=advisor)
    before = History.objects.count()
    walkarounds.save_walkaround(visit_uid=visit.uid, odometer_km=63208, by=advisor)
    assert History.objects.count() == before


@pytest.mark.parametrize(
    ("fields", "code", "field"),
    [
        ({"odometer_km": -1}, "walkaround.range", "odometer_km"),
        ({"odometer_km": 2_000_001}, "walkaround.range", "odometer_km"),
        ({"energy_eighths": 9}, "walkaround.range", "energy_eighths"),
        ({"warning_lights": ["DISCO"]}, "walkaround.choice", "warning_lights"),
        ({"belongings": ["GOLD"]}, "walkaround.choice", "belongings"),
        ({"old_parts": "EAT"}, "walkaround.choice", "old_parts"),
        ({"waiting_mode": "FLY"}, "walkaround.choice", "waiting_mode"),
    ],
)
def test_what_is_off_the_list_is_refused(advisor, fields, code, field):
    visit = make_received_visit(advisor)
    refusal = unchanged(walkarounds.save_walkaround, visit_uid=visit.uid, by=advisor, **fields)
    assert (refusal.code, refusal.field) == (code, field)


def test_a_lower_mileage_needs_a_reason(advisor):
    first = make_signed_visit(advisor, odometer_km=63208, plate="沪A12345")
    visits.end_consultation(uid=first.uid, outcome="CONSULTED", by=advisor)
    again = make_received_visit(advisor, plate="沪A12345")
    refusal = unchanged(walkarounds.save_walkaround, visit_uid=again.uid, odometer_km=63207, by=advisor)
    assert (refusal.code, refusal.field, refusal.params) == (
        "walkaround.odometer",
        "odometer_reason",
        {"before": 63208},
    )
    walkarounds.save_walkaround(
        visit_uid=again.uid, **COMPLETE | {"odometer_km": 120}, odometer_reason="更换仪表", by=advisor
    )
    walkarounds.sign_walkaround(visit_uid=again.uid, signed_name="周试车", by=advisor)
    again.vehicle.refresh_from_db()
    assert again.vehicle.odometer_km == 120
    assert OdometerReading.objects.get(km=120).reason == "更换仪表"


def test_marks_are_added_and_taken_back(advisor):
    visit = make_received_visit(advisor)
    mark = walkarounds.add_damage(
        visit_uid=visit.uid, side="LEFT", kind="DENT", place="左前门", x=320, y=410, size_mm=120, by=advisor
    )
    assert (mark.side, mark.kind, mark.x, mark.y, mark.size_mm, mark.place) == ("LEFT", "DENT", 320, 410, 120, "左前门")
    photo = walkarounds.add_photo(
        visit_uid=visit.uid, content=make_picture(), name="x.jpg", mark_uid=mark.uid, by=advisor
    )
    walkarounds.remove_damage(visit_uid=visit.uid, mark_uid=mark.uid, by=advisor)
    photo.refresh_from_db()
    assert (DamageMark.objects.count(), photo.mark_id) == (0, None)
    lines = History.objects.filter(code__startswith="reception.walkaround.damage").order_by("id")
    facts = {"mark": str(mark.uid), "side": "LEFT", "kind": "DENT"}
    assert [(h.code.rsplit(".", 1)[1], h.facts) for h in lines] == [("damage_added", facts), ("damage_removed", facts)]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"side": "BOTTOM"}, "damage.side"),
        ({"kind": "GONE"}, "damage.kind"),
        ({"x": None}, "walkaround.range"),
        ({"x": 1001}, "walkaround.range"),
        ({"y": -1}, "walkaround.range"),
        ({"size_mm": 0}, "walkaround.range"),
    ],
)
def test_a_mark_lies_on_the_car(advisor, change, code):
    visit = make_received_visit(advisor)
    walkarounds.save_walkaround(visit_uid=visit.uid, kit_fitted=True, by=advisor)
    given = {"side": "LEFT", "kind": "DENT", "x": 1, "y": 1} | change
    assert unchanged(walkarounds.add_damage, visit_uid=visit.uid, by=advisor, **given).code == code


@pytest.mark.parametrize(
    ("side", "x", "y", "part"),
    [
        ("TOP", 500, 100, "Bonnet"),
        ("TOP", 500, 300, "Windscreen"),
        ("TOP", 400, 600, "Roof"),
        ("TOP", 500, 850, "Rear window"),
        ("TOP", 500, 960, "Boot lid"),
        ("FRONT", 150, 530, "Left headlamp"),
        ("FRONT", 850, 530, "Right headlamp"),
        ("FRONT", 500, 300, "Grille"),
        ("FRONT", 500, 900, "Front bumper"),
        ("REAR", 150, 300, "Left tail lamp"),
        ("REAR", 850, 300, "Right tail lamp"),
        ("REAR", 500, 200, "Boot lid"),
        ("REAR", 500, 800, "Rear bumper"),
        ("LEFT", 500, 100, "Left front wing"),
        ("LEFT", 745, 183, "Left front wheel"),
        ("LEFT", 700, 400, "Left front door"),
        ("LEFT", 450, 400, "Left front window"),
        ("LEFT", 700, 640, "Left rear door"),
        ("LEFT", 450, 640, "Left rear window"),
        ("LEFT", 745, 817, "Left rear wheel"),
        ("LEFT", 500, 950, "Left rear wing"),
        ("RIGHT", 500, 100, "Right front wing"),
        ("RIGHT", 255, 183, "Right front wheel"),
        ("RIGHT", 300, 400, "Right front door"),
        ("RIGHT", 550, 640, "Right rear window"),
        ("RIGHT", 255, 817, "Right rear wheel"),
        ("TOP", 500, 500, "Top"),
    ],
)
def test_a_mark_is_named_by_the_part_it_lies_on(side, x, y, part):
    """The drawing's own geometry; a mark taken from the list has no point and names its side alone."""
    with override("en"):
        assert DamageMark(side=side, x=x, y=y).where == part
        assert DamageMark(side=side, x=x, y=y, place="左前门把手").where == "左前门把手"


def test_a_mark_of_another_visit_is_not_there(advisor):
    one, two = make_received_visit(advisor), make_received_visit(advisor)
    mark = walkarounds.add_damage(visit_uid=one.uid, side="TOP", kind="CHIP", by=advisor)
    with pytest.raises(DamageMark.DoesNotExist):
        walkarounds.remove_damage(visit_uid=two.uid, mark_uid=mark.uid, by=advisor)
    assert DamageMark.objects.count() == 1


def test_the_walk_around_begins_with_the_reception(advisor):
    visit = make_visit(advisor)
    refusal = unchanged(walkarounds.save_walkaround, visit_uid=visit.uid, odometer_km=1, by=advisor)
    assert refusal.code == "walkaround.not_greeted"


def test_the_signature_closes_it_and_the_mileage_becomes_the_car_s(advisor):
    visit = make_received_visit(advisor)
    walkarounds.save_walkaround(visit_uid=visit.uid, by=advisor, **COMPLETE)
    signed = walkarounds.sign_walkaround(
        visit_uid=visit.uid, signed_name=" 周 试车 ", signature=make_picture(kind="PNG"), by=advisor
    )
    visit.refresh_from_db()
    assert (signed.state, signed.signed_name, signed.signature.media_type) == ("SIGNED", "周 试车", "image/png")
    assert (visit.signed_at, visit.odometer_in_km, visit.vehicle.odometer_km) == (signed.signed_at, 63208, 63208)
    line = History.objects.get(code="reception.walkaround.signed")
    assert line.changed == {"state": ["DRAFT", "SIGNED"]}
    assert line.facts == {
        "odometer_km": 63208,
        "energy_eighths": 5,
        "marks": 0,
        "photos": 0,
        "signature": signed.signature.sha256,
    }


@pytest.mark.parametrize("lacks", ["odometer_km", "energy_eighths", "old_parts", "no_valuables", "signed_name"])
def test_an_incomplete_one_is_not_signed(advisor, lacks):
    visit = make_received_visit(advisor)
    given = {name: value for name, value in COMPLETE.items() if name != lacks}
    walkarounds.save_walkaround(visit_uid=visit.uid, by=advisor, **given)
    name = "" if lacks == "signed_name" else "周试车"
    refusal = unchanged(walkarounds.sign_walkaround, visit_uid=visit.uid, signed_name=name, by=advisor)
    assert (refusal.code, refusal.field) == ("walkaround.incomplete", lacks)


def test_the_database_refuses_a_signature_before_valuables_were_asked(advisor, refused):
    visit = make_received_visit(advisor)
    given = {name: value for name, value in COMPLETE.items() if name != "no_valuables"}
    walkarounds.save_walkaround(visit_uid=visit.uid, by=advisor, **given)
    before = state_of()
    with refused("walkaround_valuables_asked") as sql:
        sql("UPDATE reception_walkaround SET state = 'SIGNED', signed_at = now(), signed_name = '周试车'")
    assert state_of() == before


def test_many_savings_are_one_line_to_a_reader(advisor):
    visit = make_received_visit(advisor)
    for fields in ({"odometer_km": 63000}, {"odometer_km": 63208}, {"energy_eighths": 5}, {"old_parts": "TAKE"}):
        walkarounds.save_walkaround(visit_uid=visit.uid, by=advisor, **fields)
    walkarounds.add_damage(visit_uid=visit.uid, side="TOP", kind="CHIP", by=advisor)
    walkarounds.save_walkaround(visit_uid=visit.uid, by=advisor, no_valuables=True)
    saved = [line for line in timeline(advisor, visit=visit.uid) if line.code == "reception.walkaround.saved"]
    assert [line.changed for line in saved] == [
        {
            "odometer_km": [None, 63208],
            "energy_eighths": [None, 5],
            "old_parts": ["", "TAKE"],
            "no_valuables": [False, True],
        }
    ]
    assert History.objects.filter(code="reception.walkaround.saved").count() == 5, "the history keeps each"


def test_a_signature_is_a_picture(advisor):
    visit = make_received_visit(advisor)
    walkarounds.save_walkaround(visit_uid=visit.uid, by=advisor, **COMPLETE)
    refusal = unchanged(
        walkarounds.sign_walkaround, visit_uid=visit.uid, signed_name="周试车", signature=b"<svg>", by=advisor
    )
    assert refusal.code == "file.kind"


def test_a_signed_one_is_never_changed(advisor):
    visit = make_received_visit(advisor)
    mark = walkarounds.add_damage(visit_uid=visit.uid, side="TOP", kind="CHIP", by=advisor)
    walkarounds.save_walkaround(visit_uid=visit.uid, by=advisor, **COMPLETE)
    walkarounds.sign_walkaround(visit_uid=visit.uid, signed_name="周试车", by=advisor)
    for command, values in (
        (walkarounds.save_walkaround, {"odometer_km": 70000}),
        (walkarounds.add_damage, {"side": "TOP", "kind": "CHIP"}),
        (walkarounds.remove_damage, {"mark_uid": mark.uid}),
        (walkarounds.sign_walkaround, {"signed_name": "李试"}),
    ):
        assert unchanged(command, visit_uid=visit.uid, by=advisor, **values).code == "walkaround.signed"


def test_the_visits_version_goes_on_with_its_walkaround(advisor):
    """The walk-around stands in the visit's item of the API: an ETag read before must not pass afterwards."""
    visit = make_received_visit(advisor)

    def version() -> int:
        return Visit.objects.values_list("version", flat=True).get(pk=visit.pk)

    seen = [version()]
    walkarounds.save_walkaround(visit_uid=visit.uid, energy_eighths=3, by=advisor)
    seen.append(version())
    mark = walkarounds.add_damage(visit_uid=visit.uid, side="FRONT", kind="SCRATCH", by=advisor)
    seen.append(version())
    walkarounds.remove_damage(visit_uid=visit.uid, mark_uid=mark.uid, by=advisor)
    seen.append(version())
    assert seen == sorted(set(seen)), "each change counts"
    walkarounds.save_walkaround(visit_uid=visit.uid, energy_eighths=3, by=advisor)
    assert version() == seen[-1], "nothing changed"
