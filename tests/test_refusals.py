"""What the law or the manual forbids on a car's visit is refused by the database itself (issue: shown by 3).

One table, ``REFUSALS``: the sentence of the rule, the constraint or trigger that holds it, and what somebody tries by
raw SQL as the application's role. Each case demands that very name and that no row of any table changed; the pages'
own refusals stand in the tests of their rooms.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import Model
from django.db.models.expressions import DatabaseDefault
from psycopg2.extras import DateTimeTZRange

from compliance.models import ArchiveRecord
from dealership.catalogue.models import Reservation
from dealership.kernel import clock
from dealership.kernel.models import Approval
from delivery.models import GatePass, Handover
from delivery.services.payments import take_payment
from delivery.services.settlements import ask_unpaid_exit, issue_settlement, sign_settlement
from tests.factories.delivery import add_line, certify, make_order, make_ready, make_team, make_visit, work
from tests.factories.departed import make_departed
from tests.factories.floor import at, clock_at, make_agreed, make_floor
from workshop.models import Clocking, Inspection, LineState, PartLine
from workshop.services.orders import withdraw_line

Attempt = tuple[str, list[Any]]
L = LineState


# --- helpers ---


def insert(row: Model) -> Attempt:
    """The INSERT that would write an unsaved row, past every command and every method of the model."""
    fields = [
        field
        for field in row._meta.concrete_fields
        if not field.primary_key and not isinstance(getattr(row, field.attname), DatabaseDefault)
    ]
    columns = ", ".join(f'"{field.column}"' for field in fields)
    marks = ", ".join(["%s"] * len(fields))
    values = [field.get_db_prep_save(field.pre_save(row, add=True), connection) for field in fields]
    return f'INSERT INTO "{row._meta.db_table}" ({columns}) VALUES ({marks})', values


def fingerprint() -> dict[str, str]:
    """A hash over every row of every table."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
            "WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND NOT c.relispartition "
            "AND has_table_privilege(c.oid, 'SELECT') ORDER BY 1"
        )
        tables = [name for (name,) in cursor.fetchall()]
        found = {}
        for table in tables:
            cursor.execute(f"SELECT count(*) || ':' || COALESCE(md5(string_agg(t::text, ',' ORDER BY t::text)), '') "
                           f'FROM "{table}" t')  # fmt: skip
            found[table] = cursor.fetchone()[0]
    return found


def handover_of(order: Any, team: Any) -> Attempt:
    visit = order.visit
    return insert(
        Handover(
            store=visit.store,
            visit=visit,
            odometer_km=50010,
            received_by="李送修",
            advisor=team.people["advisor"],
            at=clock.now(),
        )
    )


# --- plans and clockings (2.4, 3.2) ---


def plan_over_the_same(kind: str) -> Callable[[], Attempt]:
    def build() -> Attempt:
        with clock_at(9):
            floor = make_floor()
            _order, lines = make_agreed(floor, "BR-10")
            given = floor.give(lines[0], floor.technician())
            taken = given.bay_plan if kind == "bay" else given.person_plan
        return insert(
            Reservation(
                store=taken.store,
                resource=taken.resource,
                purpose="WORK",
                period=DateTimeTZRange(at(9, 5), at(9, 35)),
            )
        )

    return build


def clock_on_twice() -> Attempt:
    team = make_team()
    order = make_order(make_visit(team), team)
    first, second = add_line(order), add_line(order)
    worker = team.people["technician"]
    Clocking.objects.create(store=team.store, employee=worker, line=first, started_at=clock.now())
    later = clock.now() + timedelta(minutes=5)
    return insert(Clocking(store=team.store, employee=worker, line=second, started_at=later))


def clock_on(state: str) -> Callable[[], Attempt]:
    def build() -> Attempt:
        team = make_team()
        line = add_line(make_order(make_visit(team), team), state=state)
        return insert(Clocking(store=team.store, employee=team.people["technician"], line=line, started_at=clock.now()))

    return build


def work_without_an_amount() -> Attempt:
    team = make_team()
    line = add_line(make_order(make_visit(team), team), state=L.DRAFT)
    return (
        "UPDATE workshop_orderline SET state = 'AUTHORIZED', authorized_amount = NULL WHERE id = %s",
        [line.pk],
    )


def issue_part_unasked() -> Attempt:
    team = make_team()
    line = add_line(make_order(make_visit(team), team), state=L.PENDING, parts=[{"issued": "0.00"}])
    part_line = PartLine.objects.get(line=line)
    return "UPDATE workshop_partline SET issued_quantity = 1 WHERE id = %s", [part_line.pk]


def change_what_was_agreed() -> Attempt:
    team = make_team()
    line = add_line(make_order(make_visit(team), team))
    return "UPDATE workshop_orderline SET labor_amount = labor_amount + 1 WHERE id = %s", [line.pk]


# --- inspections (3.2) ---


def inspect_own_work(level: str) -> Callable[[], Attempt]:
    def build() -> Attempt:
        team = make_team()
        order = make_order(make_visit(team), team)
        line = add_line(order, state=L.IN_PROGRESS)
        worker = team.people["technician"]
        now = clock.now()
        Clocking.objects.create(
            store=team.store, employee=worker, line=line, started_at=now - timedelta(minutes=30), ended_at=now
        )
        line.state, line.completed_at = L.COMPLETED, now
        line.save()
        before = {"TEAM": {"SELF": worker}, "FINAL": {"SELF": worker, "TEAM": team.people["inspector"]}}[level]
        for passed, person in before.items():
            Inspection.objects.create(
                store=team.store, order=order, level=passed, result="PASSED", inspector=person, at=clock.now()
            )
        return insert(Inspection(store=team.store, order=order, level=level, result="PASSED", inspector=worker))

    return build


# --- the way out (4.1) ---


def hand_over_uninspected() -> Attempt:
    team = make_team()
    order = make_order(make_visit(team), team)
    add_line(order, state=L.COMPLETED)
    return handover_of(order, team)


def hand_over_uncertified() -> Attempt:
    team = make_team()
    order = make_ready(team, category="ASSEMBLY")
    certificate = certify(order, team)
    sign_settlement(
        uid=issue_settlement(order_uid=order.uid, by=team.advisor).uid, signed_name="李送修", by=team.advisor
    )
    certificate.voided_at, certificate.void_reason = clock.now(), "填写有误"
    certificate.save()
    return handover_of(order, team)


def hand_over_without_list() -> Attempt:
    team = make_team()
    return handover_of(make_ready(team), team)


def hand_over_unsigned() -> Attempt:
    team = make_team()
    order = make_ready(team)
    issue_settlement(order_uid=order.uid, by=team.advisor)
    return handover_of(order, team)


def hand_over_unpaid() -> Attempt:
    team = make_team()
    order = make_ready(team)
    settlement = issue_settlement(order_uid=order.uid, by=team.advisor)
    sign_settlement(uid=settlement.uid, signed_name="李送修", by=team.advisor)
    return handover_of(order, team)


def hand_over_while_credit_is_only_asked() -> Attempt:
    team = make_team()
    order = make_ready(team)
    settlement = issue_settlement(order_uid=order.uid, by=team.advisor)
    sign_settlement(uid=settlement.uid, signed_name="李送修", by=team.advisor)
    ask_unpaid_exit(uid=settlement.uid, reason="月结客户", by=team.advisor)
    return handover_of(order, team)


def hand_over_without_risk_note() -> Attempt:
    team = make_team()
    order = make_order(make_visit(team), team)
    line = add_line(order, state=L.IN_PROGRESS)
    work(line, team.people["technician"], minutes=15)
    withdraw_line(line_uid=line.uid, reason="客户撤单", by=team.advisor)
    settlement = issue_settlement(order_uid=order.uid, by=team.advisor)
    sign_settlement(uid=settlement.uid, signed_name="李送修", by=team.advisor)
    take_payment(settlement_uid=settlement.uid, method="CASH", amount=settlement.total, by=team.cashier)
    return handover_of(order, team)


def pass_without_handover() -> Attempt:
    team = make_team()
    visit = make_ready(team).visit
    return insert(
        GatePass(store=visit.store, visit=visit, kind="DELIVERED", expires_at=clock.now() + timedelta(hours=1))
    )


def pass_unrepaired(**fields: Any) -> Callable[[], Attempt]:
    def build() -> Attempt:
        team = make_team()
        visit = make_visit(team)
        add_line(make_order(visit, team), state=fields.get("line", L.WITHDRAWN))
        return insert(
            GatePass(
                store=visit.store,
                visit=visit,
                kind="UNREPAIRED",
                reason="客户撤单",
                risk_note_signed_by=fields.get("signed", ""),
                signed_on_paper=True,
                expires_at=clock.now() + timedelta(hours=1),
            )
        )

    return build


def approve_what_one_asked() -> Attempt:
    team = make_team()
    settlement = issue_settlement(order_uid=make_ready(team).uid, by=team.advisor)
    asked = ask_unpaid_exit(uid=settlement.uid, reason="月结客户", by=team.advisor)
    return (
        "UPDATE kernel_approval SET state = 'APPROVED', decided_by_id = asked_by_id, decided_at = now() WHERE id = %s",
        [Approval.objects.get(pk=asked.pk).pk],
    )


# --- settled lines, money, history, archive ---


def change_settled_line() -> Attempt:
    team = make_team()
    order = make_ready(team)
    issue_settlement(order_uid=order.uid, by=team.advisor)
    return "UPDATE workshop_orderline SET correction = '改' WHERE order_id = %s", [order.pk]


def reopen_settled_line() -> Attempt:
    team = make_team()
    order = make_ready(team)
    issue_settlement(order_uid=order.uid, by=team.advisor)
    return "UPDATE workshop_orderline SET settled = false WHERE order_id = %s", [order.pk]


def change_settled_part() -> Attempt:
    team = make_team()
    order = make_ready(team)
    issue_settlement(order_uid=order.uid, by=team.advisor)
    return "UPDATE workshop_partline SET amount = 0 WHERE line_id IN (SELECT id FROM workshop_orderline)", []


def change_list() -> Attempt:
    team = make_team()
    order = make_ready(team)
    issue_settlement(order_uid=order.uid, by=team.advisor)
    return "UPDATE delivery_settlement SET labor_total = 0, total = total - labor_total", []


def some_history() -> None:
    team = make_team()
    issue_settlement(order_uid=make_ready(team).uid, by=team.advisor)


def change_history() -> Attempt:
    some_history()
    return "UPDATE kernel_history SET actor_id = 'x'", []


def delete_history() -> Attempt:
    some_history()
    return "DELETE FROM kernel_history", []


def destroy_early() -> Attempt:
    _house, order = make_departed()
    return (
        "UPDATE compliance_archiverecord SET state = 'TO_DESTROY' WHERE id = %s",
        [ArchiveRecord.objects.get(subject_uid=order.uid).pk],
    )


REFUSALS: list[tuple[str, str, Callable[[], Attempt]]] = [
    ("overlapping plans for a bay", "reservation_no_overlap", plan_over_the_same("bay")),
    ("overlapping plans for a technician", "reservation_no_overlap", plan_over_the_same("technician")),
    ("two open clockings of one person", "clocking_one_open", clock_on_twice),
    ("work on a line nobody agreed to: drafted", "clocking_needs_agreement", clock_on(L.DRAFT)),
    ("work on a line nobody agreed to: asked", "clocking_needs_agreement", clock_on(L.PENDING)),
    ("work on a line nobody agreed to: declined", "clocking_needs_agreement", clock_on(L.DECLINED)),
    ("work on a line nobody agreed to: withdrawn", "clocking_needs_agreement", clock_on(L.WITHDRAWN)),
    ("agreement without a named amount", "orderline_agreed_amount", work_without_an_amount),
    ("parts for a line nobody agreed to", "partline_issue_needs_agreement", issue_part_unasked),
    ("a price changed after the customer's yes", "orderline_agreed_is_fixed", change_what_was_agreed),
    ("team inspection by who did the work", "inspection_not_by_worker", inspect_own_work("TEAM")),
    ("final inspection by who did the work", "inspection_not_by_worker", inspect_own_work("FINAL")),
    ("hand-over without final inspection", "handover_gate_inspection", hand_over_uninspected),
    ("hand-over without certificate where required", "handover_gate_certificate", hand_over_uncertified),
    ("hand-over without settlement list", "handover_gate_settlement", hand_over_without_list),
    ("hand-over without signed list", "handover_gate_settlement", hand_over_unsigned),
    ("hand-over without payment", "handover_gate_payment", hand_over_unpaid),
    ("hand-over on credit nobody approved", "handover_gate_payment", hand_over_while_credit_is_only_asked),
    ("hand-over after withdrawn work without the risk note", "handover_risk_note", hand_over_without_risk_note),
    ("gate pass “delivered” without hand-over", "gatepass_needs_handover", pass_without_handover),
    ("gate pass “unrepaired” without the risk note", "gatepass_risk_note", pass_unrepaired()),
    (
        "gate pass “unrepaired” while work is open",
        "gatepass_unrepaired_settled",
        pass_unrepaired(line=L.AUTHORIZED, signed="李送修"),
    ),
    ("approval by who asked for it", "approval_four_eyes", approve_what_one_asked),
    ("changing a settled line", "orderline_settled_is_final", change_settled_line),
    ("opening a settled line again", "orderline_released_by_void", reopen_settled_line),
    ("changing a part of a settled line", "partline_settled_is_final", change_settled_part),
    ("changing an issued list", "settlement_amounts_fixed", change_list),
    ("changing history", "history_append_only", change_history),
    ("deleting history", "history_append_only", delete_history),
    ("destroying an archive record early", "archive_retention", destroy_early),
]


@pytest.mark.django_db
@pytest.mark.parametrize(("rule", "attempt"), [row[1:] for row in REFUSALS], ids=[row[0] for row in REFUSALS])
def test_the_database_refuses(refused, rule: str, attempt: Callable[[], Attempt]):
    statement, values = attempt()
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    before = fingerprint()
    with refused(rule) as sql:
        sql(statement, values or None)
    assert fingerprint() == before


@pytest.mark.django_db
def test_the_same_statement_passes_where_nothing_forbids_it():
    """The hand-over that every case above is refused goes through once the car is inspected, settled, signed, paid."""
    team = make_team()
    order = make_ready(team)
    settlement = issue_settlement(order_uid=order.uid, by=team.advisor)
    sign_settlement(uid=settlement.uid, signed_name="李送修", by=team.advisor)
    take_payment(settlement_uid=settlement.uid, method="CASH", amount=settlement.total, by=team.cashier)
    before = fingerprint()
    with connection.cursor() as cursor:
        cursor.execute(*handover_of(order, team))
    after = fingerprint()
    assert {table for table in after if after[table] != before[table]} == {"delivery_handover"}
    assert Handover.objects.filter(visit=order.visit).count() == 1


@pytest.mark.django_db
def test_what_really_happened_is_recorded_though_it_overlaps():
    """A bay taken twice in truth is no refusal: two people's clockings in one bay at one time are both kept."""
    team = make_team()
    order = make_order(make_visit(team), team)
    line = add_line(order, state=L.IN_PROGRESS)
    now = clock.now()
    for person in ("technician", "inspector"):
        with connection.cursor() as cursor:
            cursor.execute(
                *insert(
                    Clocking(
                        store=team.store,
                        employee=team.people[person],
                        line=line,
                        started_at=now - timedelta(minutes=30),
                        ended_at=now,
                    )
                )
            )
    assert Clocking.objects.filter(line=line).count() == 2


def test_every_sentence_of_the_issue_is_in_the_table():
    """What the issue lists, sentence by sentence, each with at least one case."""
    listed = {
        "overlapping plans for a bay",
        "overlapping plans for a technician",
        "two open clockings of one person",
        "work on a line nobody agreed to",
        "hand-over without final inspection",
        "hand-over without signed list",
        "hand-over without certificate where required",
        "hand-over without payment",
        "hand-over on credit nobody approved",
        "team inspection by who did the work",
        "final inspection by who did the work",
        "changing a settled line",
        "changing history",
        "deleting history",
        "destroying an archive record early",
    }
    assert listed <= {sentence.split(":")[0] for sentence, _rule, _attempt in REFUSALS}
