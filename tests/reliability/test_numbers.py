"""Changing a number of the trade changes an outcome: for every key of the facts' section 10 that a rule reads (issue 4).

``PROOFS`` holds, per setting, what comes out with the declared value, another value, and what comes out then.
``SECTION_10`` is a list kept by hand: each key of that section names the setting that carries it, which must have a
proof here, or its line in ``docs/settings.md`` under those that wait. Settings outside section 10 are not asked for here.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.conf import settings

from compliance.services.archives import archive_order
from dealership.kernel import clock, limits, outbox, registry
from dealership.kernel.actors import machine
from dealership.kernel.models import PeriodicRun, Setting
from delivery.services.followups import answer_survey, plan_follow_up, record_call, send_survey
from delivery.services.settlements import issue_settlement
from quality.models import Complaint
from quality.services.complaints import open_complaint
from reception.models import Appointment
from reception.services.appointments import remind_customer, send_preparation_lists
from reception.services.consultations import register_consultation
from reception.services.segments import recompute_segments
from tests.delivery.test_whole_way import House
from tests.factories import staff
from tests.factories.departed import make_departed
from tests.factories.floor import DAY, actor, clock_at
from tests.factories.reception import make_customer, make_vehicle, make_visit
from tests.factories.workshop import link_actor

pytestmark = pytest.mark.django_db


def reminded(ahead: timedelta) -> str:
    """The step of the reminder that is sent at ten for a booking of so long ahead, known for three days; '' for none."""
    with clock_at(10):
        store, owner = staff.make_store(), make_customer()
        booking = Appointment.objects.create(
            store=store, number="A-1", customer=owner, vehicle=make_vehicle(owner_uid=owner.uid), contact_name="李试约",
            contact_phone="13900002290", starts_at=clock.now() + ahead, concern="保养", state="CONFIRMED",
            created_at=clock.now() - timedelta(days=3),
        )  # fmt: skip
        message = remind_customer(uid=booking.uid, by=machine("reminders", store_id=store.pk))
        return message.key.split(":")[2] if message else ""


def listed() -> int:
    """Preparation lists taken at 15:00."""
    staff.make_store()
    with clock_at(15):
        send_preparation_lists()
    return PeriodicRun.objects.filter(job__startswith="reception.preparation").count()


def callback_in_days() -> int:
    _house, order = make_departed()
    planned = plan_follow_up(visit_uid=order.visit.uid, by=machine("t", store_id=order.store_id))
    return (planned.due_on - DAY).days


def after_one_call() -> str:
    house, order = make_departed()
    care = actor(house.floor.hire("care"))
    planned = plan_follow_up(visit_uid=order.visit.uid, by=care)
    return str(record_call(uid=planned.uid, result="NO_ANSWER", by=care).state)


def guaranteed() -> tuple[int, int]:
    with clock_at(9):
        house = House()
        bill = issue_settlement(order_uid=house.repaired("MT-10").uid, by=house.advisor)
    return bill.guarantee_days, bill.guarantee_km


def answered_within() -> timedelta:
    with clock_at(9):
        house = House()
        care = actor(house.floor.hire("care"))
        case = open_complaint(
            customer_uid=make_customer().uid, description="没修好", source="PHONE", level="ESCALATED", by=care
        )
        return case.response_due_at - clock.now()


def kept_until() -> date:
    house, order = make_departed()
    with clock_at(9):
        return archive_order(order_uid=order.uid, by=machine("t", store_id=house.floor.shop.store.pk)).retain_until


def case_after(recommend: int, worst: int) -> int:
    """Complaints that an answer of the customer opens."""
    _house, order = make_departed()
    send_survey(visit_uid=order.visit.uid, by=machine("t", store_id=order.store_id))
    scores = {"RECEPTION": 5, "FACILITY": 5, "PROCESS": 5, "QUALITY": worst, "DELIVERY": 5}
    answer_survey(visit_uid=order.visit.uid, scores=scores, recommend=recommend, by=link_actor(order))
    outbox.drain()
    return Complaint.objects.count()


def email_due_in() -> timedelta:
    """How long an e-mail may wait for its answer."""
    with clock_at(17):
        desk = staff.make_actor(staff.make_store(), "receptionist")
        asked = register_consultation(channel="EMAIL", body="多久保养一次？", contact_email="asks@example.com", by=desk)
        due = asked.clocks.get(kind="RESPONSE").due_at
        assert due is not None
        return due - clock.now()


MORE = {"km": 30000, "days": 120}  # never less than the law gives


# setting → what comes out, the declared value's outcome, another value, its outcome
def may_be_lost() -> bool:
    """Somebody whose last visit is a hundred and one days ago."""
    desk = staff.make_actor(staff.make_store(), "receptionist")
    visit = make_visit(desk)
    with clock.moved_to(clock.now() + timedelta(days=101)):
        recompute_segments()
    visit.customer.refresh_from_db()
    return visit.customer.lost_risk


PROOFS: dict[str, tuple[Callable[[], Any], Any, Any, Any]] = {
    "reception.answer_minutes": (email_due_in, timedelta(hours=24), {"EMAIL": 720}, timedelta(hours=12)),
    "reception.reminder_days": (lambda: reminded(timedelta(hours=20)), "24h", [5], ""),
    "reception.reminder_hours": (lambda: reminded(timedelta(minutes=90)), "24h", [2], "2h"),
    "reception.lost_customer_days": (may_be_lost, False, 100, True),
    "reception.prep_list_time": (listed, 0, "14:30", 1),
    "delivery.callback_day": (callback_in_days, 3, 5, 5),
    "delivery.callback_retry_days": (after_one_call, "DUE", 1, "GIVEN_UP"),
    "workshop.guarantee": (
        guaranteed, (10, 2000),
        dict.fromkeys(
            ("WHOLE_VEHICLE", "ASSEMBLY", "SECOND_MAINTENANCE", "FIRST_MAINTENANCE", "MINOR", "SPECIAL"), MORE
        ),
        (120, 30000),
    ),
    "quality.complaint_response_hours": (
        answered_within, timedelta(hours=8),
        {"ORDINARY": 24, "ESCALATED": 2, "IMPORTANT": 4, "URGENT": 4}, timedelta(hours=2),
    ),
    "compliance.retain_order_years": (kept_until, date(2032, 11, 24), 9, date(2035, 11, 24)),
    "delivery.detractor_recommend": (lambda: case_after(7, 5), 0, 7, 1),
    "delivery.bad_score": (lambda: case_after(10, 3), 0, 3, 1),
}  # fmt: skip
# The keys of section 10 of the facts: the setting that carries each, or the words under which it waits.
SECTION_10 = {
    "email_reply_h": "reception.answer_minutes",
    "phone_ring_s": "telephone answered",
    "reminder_days": "reception.reminder_days",
    "reminder_hours": "reception.reminder_hours",
    "prep_list_time": "reception.prep_list_time",
    "callback_day": "delivery.callback_day",
    "callback_retry_days": "delivery.callback_retry_days",
    "customer_file_days": "customer's file complete",
    "qg_km_days": "workshop.guarantee",
    "rework_evidence_days, rework_max_same_fault": "evidence of a rework",
    "sb_months/km, bx_months/km": "三包: basic and full period",
    "early": "三包: early period",
    "loaner_after_days": "三包: loan car after",
    "sb_total_days, sb_same_fault, sb_serious, sb_coef_max": "三包: replacement",
    "sb_answer_wd, sb_finish_wd": "三包: answer, completion",
    "complaint_accept_h": "quality.complaint_response_hours",
    "regulator_accept_wd, mediation_wd": "regulator's complaint: accepted, mediated",
    "proof_months": "proof on the shop's side",
    "refund_days": "money given back",
    "retain_years ro": "compliance.retain_order_years",
    "retain_years recall, invoice, pia, share": "recall, invoice, impact assessment, sharing register kept",
    "lost_customer_days": "reception.lost_customer_days",
    "rework_target": "rework target",
    "fine_multiplier": "threefold compensation",
}


@pytest.fixture(autouse=True)
def _fresh() -> Any:
    limits.forget()
    yield
    limits.forget()


@pytest.mark.parametrize("changed", [False, True], ids=["declared", "changed"])
@pytest.mark.parametrize("key", PROOFS)
def test_a_number_decides(key: str, changed: bool) -> None:
    outcome, declared, value, other = PROOFS[key]
    assert declared != other
    if changed:
        Setting.objects.create(key=key, value=value, starts_on=date(2020, 1, 1))
    assert outcome() == (other if changed else declared)


def test_every_key_of_the_facts_is_read_or_waits() -> None:
    waiting = (settings.BASE_DIR / "docs" / "settings.md").read_text().split("## Waiting for their chapters")[1]
    for key, where in SECTION_10.items():
        if where in registry.LIMITS:
            assert where in PROOFS, f"{key}: read as {where}, but no proof that it decides anything"
            assert f"`{where}`" not in waiting
        else:
            assert f"| {where} |" in waiting, f"{key} is neither read nor waiting"
