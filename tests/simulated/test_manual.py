"""The Manual page (手册): its figures beside counts made another way, over the days that were simulated.

Every figure that the page shows has its own statement here, written from the figure's words and over the whole week at
once; the engine's own SQL, its days and its rollup have no part in it.
"""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Decimal
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils.html import escape

from dealership.kernel import clock
from dealership.kernel.actors import machine
from dealership.kernel.models import Store, User
from dealership.process.clauses import CLAUSES, screens_of
from dealership.process.figures import FIGURES
from dealership.process.selectors.figures import read
from dealership.process.selectors.manual import last_week

from .conftest import FIRST, NOON, Run

pytestmark = pytest.mark.django_db
WEEK = "BETWEEN timestamptz '2026-03-02 00:00+08' AND timestamptz '2026-03-08 23:59:59.999999+08'"
WHOLE = "BETWEEN timestamptz '2026-03-02 00:00+08' AND timestamptz '2026-03-11 23:59:59.999999+08'"
WEIGHTS = (
    "(VALUES ('RECEPTION', 25), ('FACILITY', 15), ('PROCESS', 20), ('QUALITY', 25), ('DELIVERY', 15)) w(d, weight)"
)
DAYS_OF_WEEK = "BETWEEN '2026-03-02' AND '2026-03-08'"
# hours of each person and finished day: worked, on shift without the break, and worked while on shift
LABOUR_DAYS = """
    SELECT day, who, COALESCE(sum(minutes) FILTER (WHERE what = 'work'), 0) / 60 AS worked,
        COALESCE(sum(minutes) FILTER (WHERE what = 'shift'), 0) / 60 AS rostered,
        COALESCE(sum(minutes) FILTER (WHERE what = 'on'), 0) / 60 AS worked_on_shift
    FROM (
        SELECT 'work' AS what, c.employee_id AS who, d.day, greatest(0, extract(epoch FROM least(
            c.ended_at AT TIME ZONE 'Asia/Shanghai', d.day + 1) - greatest(
            c.started_at AT TIME ZONE 'Asia/Shanghai', d.day)) / 60) AS minutes
        FROM workshop_clocking c CROSS JOIN (SELECT date '2026-03-01' + n AS day FROM generate_series(0, 11) n) d
        WHERE c.ended_at IS NOT NULL
        UNION ALL
        SELECT 'shift', r.employee_id, r.day, extract(epoch FROM (h.ends - h.starts) - COALESCE(h.break_to - h.break_from,
            interval '0')) / 60
        FROM staff_rosterday r JOIN staff_shift h ON h.id = r.shift_id WHERE r.employee_id IN (
            SELECT g.employee_id FROM staff_postholding g JOIN staff_post t ON t.id = g.post_id AND t.role = 'technician')
        UNION ALL
        SELECT 'on', c.employee_id, r.day, greatest(0, extract(epoch FROM least(c.ended_at AT TIME ZONE 'Asia/Shanghai',
            r.day + part.b) - greatest(c.started_at AT TIME ZONE 'Asia/Shanghai', r.day + part.a)) / 60)
        FROM workshop_clocking c JOIN staff_rosterday r ON r.employee_id = c.employee_id
        JOIN staff_shift h ON h.id = r.shift_id CROSS JOIN LATERAL (VALUES (h.starts, COALESCE(h.break_from, h.ends)),
            (COALESCE(h.break_to, h.ends), h.ends)) part (a, b)
        WHERE c.ended_at IS NOT NULL AND r.employee_id IN (SELECT g.employee_id FROM staff_postholding g
            JOIN staff_post t ON t.id = g.post_id AND t.role = 'technician')
    ) spans WHERE day < '2026-03-11' GROUP BY day, who"""
# code → (numerator, denominator) of the week
COUNTS = {
    "reception.cars_in": f"SELECT count(*), count(*) FROM kernel_history WHERE code = 'reception.visit.arrived' AND at {WEEK}",
    "reception.standard_kept": f"""
        SELECT sum((facts ->> 'points')::int), sum((facts ->> 'most')::int) FROM kernel_history
        WHERE code = 'reception.observation.observed' AND at {WEEK}""",
    "reception.opened_in_time": f"""
        SELECT count(*) FILTER (WHERE (facts ->> 'late_minutes')::int = 0), count(*) FROM kernel_history
        WHERE code = 'reception.opening_check.checked' AND at {WEEK}""",
    "reception.arrivals_by_hour": f"SELECT count(*), count(*) FROM reception_visit WHERE arrived_at {WEEK}",
    "reception.wait_minutes": f"""
        SELECT sum(extract(epoch FROM g.at - a.at)) / 60, count(*) FROM kernel_history a
        JOIN kernel_history g ON g.root_uid = a.root_uid AND g.code = 'reception.visit.greeted'
        WHERE a.code = 'reception.visit.arrived' AND a.at {WEEK}""",
    "reception.left_unserved": f"""
        SELECT (SELECT count(*) FROM kernel_history WHERE code = 'reception.visit.left_unserved' AND at {WEEK}),
            (SELECT count(*) FROM kernel_history WHERE code = 'reception.visit.arrived' AND at {WEEK})""",
    "reception.rating": f"SELECT sum(rating), count(rating) FROM reception_visit WHERE arrived_at {WEEK}",
    "reception.booked_share": f"""
        SELECT count(*) FILTER (WHERE (facts ->> 'booked')::boolean), count(*) FROM kernel_history
        WHERE code = 'reception.visit.arrived' AND at {WEEK}""",
    "reception.no_show": f"""
        SELECT count(*) FILTER (WHERE h.code = 'reception.appointment.not_shown'), count(*)
        FROM reception_appointment a JOIN kernel_history h ON h.root_uid = a.uid
            AND h.code IN ('reception.appointment.not_shown', 'reception.appointment.kept')
        WHERE a.starts_at {WEEK}""",
    "reception.moved_by_shop": f"""
        SELECT count(*) FILTER (WHERE EXISTS (SELECT 1 FROM kernel_history m WHERE m.root_uid = a.uid
            AND m.code = 'reception.appointment.moved' AND (m.facts ->> 'by_shop')::boolean)), count(*)
        FROM reception_appointment a JOIN kernel_history h ON h.root_uid = a.uid
            AND h.code IN ('reception.appointment.not_shown', 'reception.appointment.kept')
        WHERE a.starts_at {WEEK}""",
    "reception.answered_in_time": f"""
        SELECT count(*) FILTER (WHERE NOT k.late AND k.met_at IS NOT NULL), count(*) FROM reception_consultationclock k
        WHERE k.kind = 'RESPONSE' AND k.started_at {WEEK}""",
    "reception.answers_cited": f"""
        SELECT count(*) FILTER (WHERE jsonb_array_length(h.facts -> 'cited') > 0), count(*) FROM kernel_history h
        JOIN reception_consultation c ON c.uid = h.root_uid AND c.topic <> 'OTHER'
        WHERE h.code = 'reception.consultation.answered' AND h.at {WEEK}""",
    "workshop.efficiency": f"""
        SELECT sum(hours), sum(clocked) FROM (
            SELECT l.hours, (SELECT sum(extract(epoch FROM c.ended_at - c.started_at)) / 3600
                FROM workshop_clocking c WHERE c.line_id = l.id) AS clocked
            FROM workshop_orderline l WHERE l.completed_at {WEEK}
        ) x WHERE clocked IS NOT NULL""",
    "workshop.utilisation": f"""
        SELECT sum(worked), sum(worked) + sum(rostered) - sum(worked_on_shift) FROM ({LABOUR_DAYS}) x
        WHERE day {DAYS_OF_WEEK}""",
    "workshop.productivity": f"""
        SELECT (SELECT sum(l.hours) FROM workshop_orderline l
                WHERE EXISTS (SELECT FROM workshop_clocking c WHERE c.line_id = l.id) AND l.completed_at {WEEK}
                AND l.completed_at < '2026-03-11 00:00+08'),
            (SELECT sum(worked) + sum(rostered) - sum(worked_on_shift) FROM ({LABOUR_DAYS}) x WHERE day {DAYS_OF_WEEK})""",
    "workshop.internal_rework": f"""
        SELECT count(*) FILTER (WHERE code = 'workshop.inspection.failed'), count(*) FROM kernel_history
        WHERE code LIKE 'workshop.inspection.%%' AND facts ->> 'level' <> 'SELF' AND at {WEEK}""",
    "workshop.additions_agreed": f"""
        SELECT count(*) FILTER (WHERE a.status = 'APPROVED'), count(*) FROM workshop_authorization a
        WHERE a.line_id IN (SELECT id FROM workshop_orderline WHERE is_addition)
          AND a.status = ANY ('{{APPROVED,DECLINED}}') AND a.at {WEEK}""",
    "workshop.external_rework": f"""
        SELECT count(w.id), count(DISTINCT o.id) FROM workshop_repairorder o
        JOIN reception_visit v ON v.id = o.visit_id
        JOIN kernel_history h ON h.root_uid = v.uid AND h.code = 'reception.visit.departed'
        LEFT JOIN workshop_repairorder w ON w.original_id = o.id AND w.kind = 'REWORK' AND w.withdrawn_at IS NULL
        WHERE o.settled_at IS NOT NULL AND o.withdrawn_at IS NULL AND h.at {WEEK}""",
    "delivery.cars_out": f"SELECT count(*), count(*) FROM kernel_history WHERE code = 'delivery.handover.done' AND at {WEEK}",
    "delivery.came_back": f"""
        SELECT (SELECT count(DISTINCT c.handover_id) FROM delivery_reworkcase c
            JOIN kernel_history a ON a.root_uid = c.uid AND a.code = 'delivery.rework.accepted'
            JOIN delivery_handover h ON h.id = c.handover_id WHERE c.state <> 'WITHDRAWN' AND h.at {WEEK}),
            (SELECT count(*) FROM kernel_history WHERE code = 'delivery.handover.done' AND at {WEEK})""",
    "delivery.on_time": f"""
        SELECT count(*) FILTER (WHERE punctual), count(punctual) FROM delivery_handover WHERE at {WEEK}""",
    "delivery.revenue": f"""
        SELECT sum(l.amount), count(DISTINCT s.id) FROM delivery_settlement s
        JOIN delivery_settlementline l ON l.settlement_id = s.id
        WHERE s.signed_at {WEEK} AND s.state <> 'VOIDED'""",
    "delivery.internal_cost": f"""
        SELECT sum(l.hours * l.rate - l.discount + l.fee_amount + COALESCE(p.amount, 0)), count(*)
        FROM delivery_settlement s JOIN workshop_orderline l ON l.order_id = s.order_id AND l.pay_type = 'INTERNAL'
        LEFT JOIN (SELECT line_id, sum(issued_quantity * unit_price) AS amount FROM workshop_partline GROUP BY 1) p
            ON p.line_id = l.id
        WHERE s.signed_at {WEEK} AND s.state <> 'VOIDED' AND l.state IN ('INSPECTED', 'WITHDRAWN')""",
    "delivery.hours_per_order": f"""
        SELECT sum(l.quantity) FILTER (WHERE l.kind = 'LABOR'), count(DISTINCT s.id) FROM delivery_settlement s
        JOIN delivery_settlementline l ON l.settlement_id = s.id
        WHERE s.signed_at {WEEK} AND s.state <> 'VOIDED'""",
    "delivery.callback_reached": """
        SELECT count(*) FILTER (WHERE EXISTS (SELECT FROM delivery_followupattempt a
                WHERE a.follow_up_id = f.id AND a.result = 'REACHED')), count(*)
        FROM delivery_followup f WHERE f.due_on BETWEEN '2026-03-02' AND '2026-03-08'""",
    "delivery.csi": f"""
        SELECT sum(score), count(*) FROM (
            SELECT sum(a.score * w.weight) / 5.0 * 100 / sum(w.weight) AS score FROM delivery_survey s
            JOIN delivery_surveyanswer a ON a.survey_id = s.id JOIN {WEIGHTS} ON w.d = a.dimension
            WHERE s.answered_at {WEEK} GROUP BY s.id) x""",
    "delivery.nps": f"""
        SELECT sum(CASE WHEN recommend >= 9 THEN 1 WHEN recommend <= 6 THEN -1 ELSE 0 END), count(recommend)
        FROM delivery_survey WHERE answered_at {WEEK}""",
    "quality.complaints": f"SELECT count(*), count(*) FROM kernel_history WHERE code = 'quality.complaint.opened' AND at {WEEK}",
    "quality.answered_in_time": f"""
        SELECT count(*) FILTER (WHERE r.at <= c.response_due_at), count(*) FROM quality_complaint c
        LEFT JOIN kernel_history r ON r.root_uid = c.uid AND r.code = 'quality.complaint.responded'
        WHERE c.opened_at {WEEK} AND (r.at IS NOT NULL OR c.response_due_at <= timestamptz '{NOON.isoformat()}')""",
    "compliance.archived": f"""
        SELECT count(*) FILTER (WHERE uid IN (SELECT subject_uid FROM compliance_archiverecord)), count(*)
        FROM workshop_repairorder WHERE closed_at {WEEK}""",
    # three kinds of waiting are counted apart and added up
    "workshop.tools_in_time": f"""
        SELECT kept, kept + late + (SELECT count(*) FROM workshop_toolasset WHERE state <> 'SCRAPPED'
            AND valid_until BETWEEN '2026-03-02' AND '2026-03-08' AND valid_until < '2026-03-11')
        FROM (SELECT count(*) FILTER (WHERE changed->'valid_until'->>0 >= facts->>'done_on' AND at {WEEK}) AS kept,
            count(*) FILTER (WHERE changed->'valid_until'->>0 < facts->>'done_on'
                AND (changed->'valid_until'->>0)::date BETWEEN '2026-03-02' AND '2026-03-08') AS late
            FROM kernel_history WHERE code = 'workshop.tool.checked') h""",
    "workshop.waiting_hours": f"""
        WITH decided AS (
            SELECT e.sent_at, max(a.at) AS at FROM workshop_estimate e
            JOIN workshop_authorization a ON a.estimate_id = e.id GROUP BY e.id, e.sent_at
        ), paused AS (
            SELECT ended_at, pause_cause, lead(started_at) OVER (PARTITION BY line_id ORDER BY started_at) AS back
            FROM workshop_clocking
        )
        SELECT sum(extract(epoch FROM spell)) / 3600, count(*) FROM (
            SELECT ended_at - started_at AS spell FROM workshop_linehold WHERE ended_at {WEEK}
            UNION ALL SELECT at - sent_at FROM decided WHERE at {WEEK}
            UNION ALL SELECT back - ended_at FROM paused
            WHERE back IS NOT NULL AND pause_cause IN ('PARTS', 'CUSTOMER', 'BAY', 'TOOL', 'HELP') AND ended_at {WEEK}
        ) x""",
}


def count(statement: str) -> tuple[Decimal, Decimal]:
    with connection.cursor() as cursor:
        cursor.execute(statement.replace("%%", "%"))
        found = cursor.fetchone()
    return tuple(Decimal(str(value or 0)) for value in found)  # type: ignore[return-value]


@pytest.fixture
def manual_page(run: Run) -> str:
    """The page in English, as the service manager reads it when the run has ended; drawn once for all tests."""
    if not run.manual:
        User.objects.filter(username="manager").update(language="en")
        client = Client()
        client.force_login(User.objects.get(username="manager"))
        run.manual = client.get(reverse("manual")).content.decode()
    return run.manual


def rows_of(page: str) -> dict[str, str]:
    return dict(re.findall(r'<tr id="clause-([\d.]+)">(.*?)</tr>', page, flags=re.S))


def plain(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def test_the_week_shown_is_the_first_of_the_run() -> None:
    assert last_week(clock.today())[0] == FIRST


def test_every_figure_has_a_count_of_its_own_here() -> None:
    assert sorted(FIGURES) == sorted(COUNTS)


@pytest.mark.parametrize("code", sorted(COUNTS))
def test_the_figure_on_the_page_is_what_was_counted_another_way(code: str, manual_page: str) -> None:
    figure = FIGURES[code]
    numerator, denominator = count(COUNTS[code])
    shown = shown_of(manual_page, figure)
    if not denominator:
        assert shown is None, f"{code}: nothing was counted, the page shows {shown}"
        return
    value = numerator * figure.scale if figure.sums else numerator * figure.scale / denominator
    assert shown == (
        value.quantize(Decimal(1).scaleb(-figure.decimals), ROUND_HALF_UP),
        denominator.quantize(Decimal(1), ROUND_HALF_UP),
    )


def begins_with(part: str, label: Any) -> bool:
    return re.match(re.escape(escape(str(label))) + r"\s*<", part.strip()) is not None


def shown_of(page: str, figure: Any) -> tuple[Decimal, Decimal] | None:
    """(value, n) as the page says it in the row of the figure's clause."""
    row = rows_of(page)[figure.clause]
    (said,) = [part for part in re.findall(r"<div>(.*?)</div>", row, flags=re.S) if begins_with(part, figure.label)]
    found = re.search(r"<strong>([^<]+)</strong>.*?n = ([\d.,]+)", said, flags=re.S)
    if found is None:
        assert "nothing counted" in said or "没有" in said, said
        return None
    return Decimal(found[1].replace(",", "")), Decimal(found[2].replace(",", ""))


def over_the_whole_run(statement: str) -> str:
    return statement.replace(WEEK, WHOLE).replace("AND '2026-03-08'", "AND '2026-03-11'")


@pytest.mark.parametrize("code", sorted(COUNTS))
def test_over_the_whole_run_the_engine_counts_the_same(code: str) -> None:
    """The days since last week too, half of the last one: what comes late (a complaint, an answer) is counted there."""
    store = Store.objects.get()
    reading = read(machine("test", store_id=store.pk), code, FIRST, NOON.date())
    numerator, denominator = count(over_the_whole_run(COUNTS[code]))
    assert (float(reading.numerator), float(reading.denominator)) == pytest.approx(
        (float(numerator), float(denominator)), abs=0.01
    )


def test_there_is_something_to_count() -> None:
    """Everything is counted at least once."""
    assert {code for code in COUNTS if not count(over_the_whole_run(COUNTS[code]))[1]} == set()


def test_every_clause_of_the_manual_is_listed_in_order(manual_page: str) -> None:
    said = list(rows_of(manual_page))
    assert said == list(CLAUSES)
    manual = Path(__file__).with_name("clauses.txt").read_text(encoding="utf-8").split()
    assert said == manual, "the clauses of the manual that the system carries out"


def test_a_clause_says_where_or_that_it_comes_later(manual_page: str) -> None:
    later = set()
    for number, row in rows_of(manual_page).items():
        words = plain(row)
        if screens_of(number):
            assert re.search(r'<a href="/[^"]+">|title="Other posts open this page."', row), number
            assert "later version" not in words
        else:
            later.add(number)
            assert "Its screens come with a later version." in words, number
            assert "Its figures come with its screens." in words, number
        assert len(words) > 40, f"{number}: no row is empty"
    assert later < set(CLAUSES)
