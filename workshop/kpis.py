"""Figures of chapter 3, and the pages that carry out its clauses."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from dealership.process.clauses import screen
from dealership.process.figures import figure
from workshop.labour_sql import DAYS_OF_WORK, EARNED, JOBS, PRESENT, SHIFT_OVER, SOLD, SPAN, WORK_EVENTS

screen("3.2", "order-list", _("Repair orders"))
screen("3.2", "campaigns", _("Recalls and campaigns"))
screen("3.2", "my-jobs", _("My jobs"))
screen("3.2", "team", _("Team"))
screen("3.2", "inspections", _("Inspections"))
screen("3.2", "parts-board", _("Parts"))
screen("3.2", "sublets", _("Outside work"))
screen("3.1", "advice-list", _("Declined advice"))
screen("2.4", "plan", _("Workshop plan"))
screen("3.3", "order-list", _("Repair orders"))

EFFICIENCY = figure(
    "workshop.efficiency",
    label=_("Technician efficiency"),
    clause="3.2",
    unit="%",
    formula=_("standard hours of finished work ÷ hours clocked on it"),
    population=_("lines finished on the day that somebody clocked on"),
    sql=f"""
        WITH {EARNED}
        SELECT COALESCE(e.uid::text, ''), sum(s.hours), sum(s.took)
        FROM earned s JOIN staff_employee e ON e.id = s.employee_id GROUP BY ROLLUP (e.uid::text)
    """,  # noqa: S608
    rows=f"""
        WITH {EARNED}
        SELECT 'order', d.uid, d.plate, d.plate_color, d.completed_at, e.uid::text, e.name, d.hours, d.took
        FROM earned d JOIN staff_employee e ON e.id = d.employee_id
    """,  # noqa: S608
    touched_by=(
        "workshop.line.finished",
        "workshop.line.paused",
        "workshop.clocking.corrected",
        "workshop.clocking.left",
        "workshop.inspection.failed",
        "workshop.dispatch.shared",
    ),
    days="""
        SELECT DISTINCT (h.at AT TIME ZONE s.time_zone)::date FROM workshop_orderline l
        JOIN workshop_repairorder o ON o.id = l.order_id JOIN kernel_store s ON s.id = o.store_id
        JOIN kernel_history h ON h.root_uid = l.uid AND h.code = 'workshop.line.finished'
        WHERE l.id IN (
            SELECT id FROM workshop_orderline WHERE uid = %(root_uid)s
            UNION SELECT line_id FROM workshop_clocking WHERE uid = %(root_uid)s
            UNION SELECT line_id FROM workshop_dispatch WHERE uid = %(root_uid)s
            UNION SELECT failed_line_id FROM workshop_inspection WHERE uid = %(root_uid)s
        )
    """,
    scale=100,
    decimals=0,
    target="100",
)
UTILISATION = figure(
    "workshop.utilisation",
    label=_("Technician utilisation"),
    clause="3.2",
    unit="%",
    formula=_("hours worked on jobs ÷ hours attended"),
    population=_(
        "technicians whose shift of the day is over, and whoever else clocked on; attended are the hours of the shift "
        "without its break and work outside it"
    ),
    sql=f"""
        WITH {SPAN}, {PRESENT}
        SELECT COALESCE(e.uid::text, ''), sum(a.worked), sum(a.hours)
        FROM attended a JOIN staff_employee e ON e.id = a.employee_id GROUP BY ROLLUP (e.uid::text)
    """,  # noqa: S608
    rows=f"""
        WITH {SPAN}, {PRESENT}, {JOBS}
        SELECT 'order', j.uid, j.plate, j.plate_color, j.at, e.uid::text, e.name, j.hours, 0
        FROM jobs j JOIN staff_employee e ON e.id = j.employee_id
        UNION ALL SELECT 'attendance', e.uid, COALESCE(a.name, ''), '', a.since, e.uid::text, e.name, 0, a.hours
        FROM attended a JOIN staff_employee e ON e.id = a.employee_id
    """,  # noqa: S608
    touched_by=WORK_EVENTS,
    days=DAYS_OF_WORK,
    run_out=SHIFT_OVER,
    scale=100,
    decimals=0,
)
PRODUCTIVITY = figure(
    "workshop.productivity",
    label=_("Technician productivity"),
    clause="3.2",
    unit="%",
    formula=_("standard hours of finished work ÷ hours attended: efficiency × utilisation"),
    population=_(
        "lines finished on the day by whom they belong to, and the hours attended as the utilisation counts them; a day "
        "counts for a person once the shift is over"
    ),
    sql=f"""
        WITH {SPAN}, {PRESENT}, {EARNED}, {SOLD}, both_sides AS (
            SELECT employee_id, hours AS sold, 0 AS there FROM sold UNION ALL SELECT employee_id, 0, hours FROM attended
        )
        SELECT COALESCE(e.uid::text, ''), sum(b.sold), sum(b.there)
        FROM both_sides b JOIN staff_employee e ON e.id = b.employee_id GROUP BY ROLLUP (e.uid::text)
    """,  # noqa: S608
    rows=f"""
        WITH {SPAN}, {PRESENT}, {EARNED}, {SOLD}
        SELECT 'order', d.uid, d.plate, d.plate_color, d.completed_at, e.uid::text, e.name, d.hours, 0
        FROM sold d JOIN staff_employee e ON e.id = d.employee_id
        UNION ALL SELECT 'attendance', e.uid, COALESCE(a.name, ''), '', a.since, e.uid::text, e.name, 0, a.hours
        FROM attended a JOIN staff_employee e ON e.id = a.employee_id
    """,  # noqa: S608
    touched_by=WORK_EVENTS,
    days=DAYS_OF_WORK,
    scale=100,
    decimals=0,
)
INTERNAL_REWORK = figure(
    "workshop.internal_rework",
    label=_("Failed at inspection"),
    clause="3.2",
    unit="%",
    formula=_("failed inspections ÷ inspections"),
    population=_("team and final inspections of the day"),
    sql="""
        SELECT '', count(*) FILTER (WHERE result = 'FAILED'), count(*) FROM workshop_inspection
        WHERE store_id = %(store_id)s AND at >= %(day_start)s AND at < %(day_end)s AND level IN ('TEAM', 'FINAL')
    """,
    rows="""
        SELECT 'order', o.uid, c.plate, c.plate_color, i.at, e.uid::text, e.name, (i.result = 'FAILED')::int, 1
        FROM workshop_inspection i JOIN workshop_repairorder o ON o.id = i.order_id
        JOIN reception_vehicle c ON c.id = o.vehicle_id JOIN staff_employee e ON e.id = i.inspector_id
        WHERE i.store_id = %(store_id)s AND i.at >= %(day_start)s AND i.at < %(day_end)s AND i.level IN ('TEAM', 'FINAL')
    """,
    touched_by=("workshop.inspection.passed", "workshop.inspection.failed"),
    scale=100,
    higher_is_better=False,
)
ADDITIONS_AGREED = figure(
    "workshop.additions_agreed",
    label=_("Additional work agreed"),
    clause="3.2",
    unit="%",
    formula=_("additions agreed ÷ additions decided"),
    population=_("decisions of the day on work that was found later"),
    sql="""
        SELECT '', count(*) FILTER (WHERE a.status = 'APPROVED'), count(*)
        FROM workshop_authorization a JOIN workshop_orderline l ON l.id = a.line_id
        JOIN workshop_repairorder o ON o.id = a.order_id
        WHERE o.store_id = %(store_id)s AND a.at >= %(day_start)s AND a.at < %(day_end)s
          AND l.is_addition AND a.status IN ('APPROVED', 'DECLINED')
    """,
    rows="""
        SELECT 'order', o.uid, c.plate, c.plate_color, a.at, e.uid::text, e.name, (a.status = 'APPROVED')::int, 1
        FROM workshop_authorization a JOIN workshop_orderline l ON l.id = a.line_id
        JOIN workshop_repairorder o ON o.id = a.order_id JOIN reception_vehicle c ON c.id = o.vehicle_id
        JOIN staff_employee e ON e.id = o.advisor_id
        WHERE o.store_id = %(store_id)s AND a.at >= %(day_start)s AND a.at < %(day_end)s
          AND l.is_addition AND a.status IN ('APPROVED', 'DECLINED')
    """,
    touched_by=("workshop.line.authorized", "workshop.line.declined"),
    scale=100,
    higher_is_better=None,
)
EXTERNAL_REWORK = figure(
    "workshop.external_rework",
    label=_("External rework"),
    clause="3.2",
    unit="%",
    formula=_("rework orders for them ÷ orders delivered"),
    population=_("repair orders whose car drove off on the day, whenever it came back"),
    sql="""
        SELECT '', COALESCE(sum((SELECT count(*) FROM workshop_repairorder w
            WHERE w.original_id = o.id AND w.kind = 'REWORK' AND w.withdrawn_at IS NULL)), 0), count(*)
        FROM workshop_repairorder o
        WHERE o.store_id = %(store_id)s AND o.closed_at >= %(day_start)s AND o.closed_at < %(day_end)s
            AND o.settled_at IS NOT NULL AND o.withdrawn_at IS NULL
    """,
    rows="""
        SELECT 'order', o.uid, c.plate, c.plate_color, o.closed_at, e.uid::text, e.name,
            (SELECT count(*) FROM workshop_repairorder w
                WHERE w.original_id = o.id AND w.kind = 'REWORK' AND w.withdrawn_at IS NULL), 1
        FROM workshop_repairorder o JOIN reception_vehicle c ON c.id = o.vehicle_id
        JOIN staff_employee e ON e.id = o.advisor_id
        WHERE o.store_id = %(store_id)s AND o.closed_at >= %(day_start)s AND o.closed_at < %(day_end)s
            AND o.settled_at IS NOT NULL AND o.withdrawn_at IS NULL
    """,
    touched_by=("reception.visit.departed", "workshop.repair_order.opened", "workshop.repair_order.withdrawn"),
    days="""
        SELECT (o.closed_at AT TIME ZONE s.time_zone)::date FROM workshop_repairorder o
        JOIN kernel_store s ON s.id = o.store_id JOIN workshop_repairorder w ON w.original_id = o.id
        WHERE w.uid = %(root_uid)s AND w.kind = 'REWORK' AND o.closed_at IS NOT NULL
    """,
    scale=100,
    higher_is_better=False,
    target="3",
)
WAITING_HOURS = figure(
    "workshop.waiting_hours",
    label=_("Hours cars waited"),
    clause="1.4",
    unit="h",
    formula=_("hours in which lines were held, by cause, and hours until the customer decided"),
    population=_("holds that ended and decisions made on the day"),
    sql="""
        WITH waits AS (
            SELECT h.cause AS cause, extract(epoch FROM h.ended_at - h.started_at) / 3600 AS hours
            FROM workshop_linehold h JOIN workshop_orderline l ON l.id = h.line_id
            JOIN workshop_repairorder o ON o.id = l.order_id
            WHERE o.store_id = %(store_id)s AND h.ended_at >= %(day_start)s AND h.ended_at < %(day_end)s
            UNION ALL
            SELECT 'CUSTOMER', extract(epoch FROM max(a.at) - e.sent_at) / 3600
            FROM workshop_estimate e JOIN workshop_authorization a ON a.estimate_id = e.id
            WHERE e.store_id = %(store_id)s AND a.at >= %(day_start)s AND a.at < %(day_end)s GROUP BY e.id, e.sent_at
            UNION ALL
            SELECT c.pause_cause, extract(epoch FROM n.started_at - c.ended_at) / 3600
            FROM workshop_clocking c JOIN LATERAL (
                SELECT min(k.started_at) AS started_at FROM workshop_clocking k
                WHERE k.line_id = c.line_id AND k.started_at >= c.ended_at
            ) n ON n.started_at IS NOT NULL
            WHERE c.store_id = %(store_id)s AND c.pause_cause NOT IN ('', 'BREAK', 'OTHER_JOB')
              AND c.ended_at >= %(day_start)s AND c.ended_at < %(day_end)s
        )
        SELECT COALESCE(cause, ''), sum(hours), count(*) FROM waits GROUP BY ROLLUP (cause)
    """,
    rows="""
        WITH waits AS (
            SELECT o.id AS order_id, h.cause AS cause, h.ended_at AS at,
                extract(epoch FROM h.ended_at - h.started_at) / 3600 AS hours
            FROM workshop_linehold h JOIN workshop_orderline l ON l.id = h.line_id
            JOIN workshop_repairorder o ON o.id = l.order_id
            WHERE o.store_id = %(store_id)s AND h.ended_at >= %(day_start)s AND h.ended_at < %(day_end)s
            UNION ALL
            SELECT e.order_id, 'CUSTOMER', max(a.at), extract(epoch FROM max(a.at) - e.sent_at) / 3600
            FROM workshop_estimate e JOIN workshop_authorization a ON a.estimate_id = e.id
            WHERE e.store_id = %(store_id)s AND a.at >= %(day_start)s AND a.at < %(day_end)s
            GROUP BY e.id, e.order_id, e.sent_at, (a.at AT TIME ZONE %(zone)s)::date
            UNION ALL
            SELECT l.order_id, k.pause_cause, k.ended_at, extract(epoch FROM n.started_at - k.ended_at) / 3600
            FROM workshop_clocking k JOIN workshop_orderline l ON l.id = k.line_id JOIN LATERAL (
                SELECT min(m.started_at) AS started_at FROM workshop_clocking m
                WHERE m.line_id = k.line_id AND m.started_at >= k.ended_at
            ) n ON n.started_at IS NOT NULL
            WHERE k.store_id = %(store_id)s AND k.pause_cause NOT IN ('', 'BREAK', 'OTHER_JOB')
              AND k.ended_at >= %(day_start)s AND k.ended_at < %(day_end)s
        )
        SELECT 'order', o.uid, c.plate, c.plate_color, w.at, w.cause, e.name, w.hours, 1
        FROM waits w JOIN workshop_repairorder o ON o.id = w.order_id JOIN reception_vehicle c ON c.id = o.vehicle_id
        JOIN staff_employee e ON e.id = o.advisor_id
    """,
    touched_by=(
        "workshop.line.released",
        "workshop.line.authorized",
        "workshop.line.declined",
        "workshop.line.started",
    ),
    days="""
        SELECT DISTINCT (c.ended_at AT TIME ZONE s.time_zone)::date FROM workshop_clocking c
        JOIN workshop_orderline l ON l.id = c.line_id JOIN kernel_store s ON s.id = c.store_id
        WHERE l.uid = %(root_uid)s AND c.pause_cause <> ''
    """,
    higher_is_better=False,
    sums=True,
)

# --- tools ---
screen("3.2", "purchases", _("Purchases"))
screen("3.2", "stock-takes", _("Stock-takes of parts"))
screen("3.2", "suppliers", _("Suppliers"))
screen("3.2", "warranty-claims", _("Warranty claims"))
screen("3.2", "old-parts", _("Old parts"))
screen("3.2", "wear-parts", _("Wear parts"))
screen("3.2", "cores", _("Core charges"))
screen("3.4", "tools", pgettext_lazy("crib", "Tools"))
screen("3.4", "tools-due", _("Tests that are due"))
screen("3.4", "lifts", _("Lifts"))
screen("3.4", "tool-counts", _("Stock-takes"))

TOOLS_IN_TIME = figure(
    "workshop.tools_in_time",
    label=_("Tools tested in time"),
    clause="3.4",
    unit="%",
    formula=_("tools tested before their date ÷ tools that were due"),
    population=_("tools tested before their date on the day, and tools whose date passed on the day"),
    sql="""
        WITH span AS (
            SELECT s.id AS store_id, (%(day_start)s::timestamptz AT TIME ZONE s.time_zone)::date AS day,
                (%(now)s::timestamptz AT TIME ZONE s.time_zone)::date AS today
            FROM kernel_store s WHERE s.id = %(store_id)s
        ), due AS (
            SELECT DISTINCT c.tool_id, c.due_on, true AS kept FROM workshop_toolcheck c JOIN span USING (store_id)
            WHERE c.done_on = span.day AND c.done_on <= c.due_on
            UNION ALL
            SELECT DISTINCT c.tool_id, c.due_on, false FROM workshop_toolcheck c JOIN span USING (store_id)
            WHERE c.due_on = span.day AND c.done_on > c.due_on AND NOT EXISTS (SELECT 1 FROM workshop_toolcheck o
                WHERE o.tool_id = c.tool_id AND o.due_on = c.due_on AND o.done_on <= o.due_on)
            UNION ALL
            SELECT t.id, t.valid_until, false FROM workshop_toolasset t JOIN span USING (store_id)
            WHERE t.valid_until = span.day AND span.day < span.today AND t.state <> 'SCRAPPED' AND NOT EXISTS (
                SELECT 1 FROM workshop_toolcheck o WHERE o.tool_id = t.id AND o.due_on = t.valid_until)
        )
        SELECT '', count(*) FILTER (WHERE kept), count(*) FROM due
    """,
    rows="""
        SELECT 'tool', t.uid, t.number, '', d.day::timestamp AT TIME ZONE %(zone)s, '', e.name, d.kept::int, 1
        FROM (
            SELECT DISTINCT tool_id, due_on, done_on AS day, true AS kept FROM workshop_toolcheck
            WHERE store_id = %(store_id)s AND done_on <= due_on
            UNION ALL
            SELECT DISTINCT c.tool_id, c.due_on, c.due_on, false FROM workshop_toolcheck c
            WHERE c.store_id = %(store_id)s AND c.done_on > c.due_on AND NOT EXISTS (SELECT 1 FROM workshop_toolcheck o
                WHERE o.tool_id = c.tool_id AND o.due_on = c.due_on AND o.done_on <= o.due_on)
            UNION ALL
            SELECT a.id, a.valid_until, a.valid_until, false FROM workshop_toolasset a
            WHERE a.store_id = %(store_id)s AND a.state <> 'SCRAPPED'
              AND a.valid_until < (%(now)s::timestamptz AT TIME ZONE %(zone)s)::date AND NOT EXISTS (
                SELECT 1 FROM workshop_toolcheck o WHERE o.tool_id = a.id AND o.due_on = a.valid_until)
        ) d JOIN workshop_toolasset t ON t.id = d.tool_id JOIN staff_employee e ON e.id = t.keeper_id
        WHERE d.day >= (%(day_start)s::timestamptz AT TIME ZONE %(zone)s)::date
          AND d.day < (%(day_end)s::timestamptz AT TIME ZONE %(zone)s)::date
    """,
    touched_by=("workshop.tool.checked", "workshop.tool.failed", "workshop.tool.scrapped"),
    days="""
        SELECT c.done_on FROM workshop_toolcheck c JOIN workshop_toolasset t ON t.id = c.tool_id
        WHERE t.uid = %(root_uid)s
        UNION SELECT c.due_on FROM workshop_toolcheck c JOIN workshop_toolasset t ON t.id = c.tool_id
        WHERE t.uid = %(root_uid)s AND c.due_on < c.done_on
        UNION SELECT valid_until FROM workshop_toolasset WHERE uid = %(root_uid)s AND state = 'SCRAPPED'
          AND valid_until IS NOT NULL
    """,
    run_out="""
        SELECT t.store_id, t.valid_until::timestamp AT TIME ZONE s.time_zone
        FROM workshop_toolasset t JOIN kernel_store s ON s.id = t.store_id
        WHERE t.state <> 'SCRAPPED' AND t.valid_until < (%(now)s::timestamptz AT TIME ZONE s.time_zone)::date
          AND NOT EXISTS (
            SELECT FROM process_kpivalue k
            WHERE k.store_id = t.store_id AND k.code = 'workshop.tools_in_time' AND k.dimension = ''
              AND k.day = t.valid_until AND k.computed_at >= (t.valid_until + 1)::timestamp AT TIME ZONE s.time_zone)
    """,
    scale=100,
    decimals=0,
    target="100",
)
