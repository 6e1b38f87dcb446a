"""Figures of chapter 6, and the pages that carry out its clauses."""

from django.utils.translation import gettext_lazy as _

from dealership.process.clauses import screen
from dealership.process.figures import figure

screen("6.1", "manual", _("Manual"))
screen("6.2", "dashboard", _("Dashboard"))
screen("6.4", "complaint-list", _("Complaints"))
screen("1.4", "dashboard", _("Dashboard"))

COMPLAINTS = figure(
    "quality.complaints",
    label=_("Complaints"),
    clause="6.4",
    unit=_("cases"),
    formula=_("number of complaints"),
    population=_("complaints opened on the day"),
    sql="""
        SELECT '', count(*), count(*) FROM quality_complaint
        WHERE store_id = %(store_id)s AND opened_at >= %(day_start)s AND opened_at < %(day_end)s
    """,
    rows="""
        SELECT 'complaint', k.uid, COALESCE(c.plate, ''), COALESCE(c.plate_color, ''), k.opened_at,
            COALESCE(e.uid::text, ''), COALESCE(e.name, ''), 1, 1
        FROM quality_complaint k LEFT JOIN reception_visit v ON v.id = k.visit_id
        LEFT JOIN reception_vehicle c ON c.id = v.vehicle_id LEFT JOIN staff_employee e ON e.id = k.handler_id
        WHERE k.store_id = %(store_id)s AND k.opened_at >= %(day_start)s AND k.opened_at < %(day_end)s
    """,
    touched_by=("quality.complaint.opened",),
    decimals=0,
    higher_is_better=False,
    sums=True,
)
ANSWERED_IN_TIME = figure(
    "quality.answered_in_time",
    label=_("Complaints answered in time"),
    clause="6.4",
    unit="%",
    formula=_("complaints answered before their clock ran out ÷ complaints"),
    population=_("complaints opened on the day whose clock has run out or that were answered"),
    sql="""
        SELECT '', count(*) FILTER (WHERE responded_at <= response_due_at), count(*) FROM quality_complaint
        WHERE store_id = %(store_id)s AND opened_at >= %(day_start)s AND opened_at < %(day_end)s
          AND (responded_at IS NOT NULL OR response_due_at <= %(now)s)
    """,
    rows="""
        SELECT 'complaint', k.uid, COALESCE(c.plate, ''), COALESCE(c.plate_color, ''), k.opened_at,
            COALESCE(e.uid::text, ''), COALESCE(e.name, ''), COALESCE((k.responded_at <= k.response_due_at)::int, 0), 1
        FROM quality_complaint k LEFT JOIN reception_visit v ON v.id = k.visit_id
        LEFT JOIN reception_vehicle c ON c.id = v.vehicle_id LEFT JOIN staff_employee e ON e.id = k.handler_id
        WHERE k.store_id = %(store_id)s AND k.opened_at >= %(day_start)s AND k.opened_at < %(day_end)s
          AND (k.responded_at IS NOT NULL OR k.response_due_at <= %(now)s)
    """,
    touched_by=("quality.complaint.opened", "quality.complaint.responded"),
    days="""
        SELECT (c.opened_at AT TIME ZONE s.time_zone)::date FROM quality_complaint c
        JOIN kernel_store s ON s.id = c.store_id WHERE c.uid = %(root_uid)s
    """,
    run_out="""
        SELECT c.store_id, c.opened_at FROM quality_complaint c JOIN kernel_store s ON s.id = c.store_id
        WHERE c.responded_at IS NULL AND c.response_due_at <= %(now)s AND NOT EXISTS (
            SELECT FROM process_kpivalue k
            WHERE k.store_id = c.store_id AND k.code = 'quality.answered_in_time' AND k.dimension = ''
              AND k.day = (c.opened_at AT TIME ZONE s.time_zone)::date AND k.computed_at >= c.response_due_at
        )
    """,
    scale=100,
    target="100",
)
