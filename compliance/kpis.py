"""Figures of chapter 8, and the pages that carry out its clauses."""

from django.utils.translation import gettext_lazy as _

from dealership.process.clauses import screen
from dealership.process.figures import figure

screen("8.4", "archive-list", _("Archive"))
screen("3.3", "archive-list", _("Archive"))
screen("3.3", "health-upload-list", _("Health records"))

ARCHIVED = figure(
    "compliance.archived",
    label=_("Closed orders archived"),
    clause="8.4",
    unit="%",
    formula=_("closed orders with an archived file ÷ closed orders"),
    population=_("orders closed on the day"),
    sql="""
        SELECT '', count(a.id), count(*)
        FROM workshop_repairorder o
        LEFT JOIN compliance_archiverecord a ON a.subject_uid = o.uid AND a.kind = 'REPAIR_FILE'
        WHERE o.store_id = %(store_id)s AND o.closed_at >= %(day_start)s AND o.closed_at < %(day_end)s
    """,
    rows="""
        SELECT 'order', o.uid, c.plate, c.plate_color, o.closed_at, e.uid::text, e.name, (a.id IS NOT NULL)::int, 1
        FROM workshop_repairorder o JOIN reception_vehicle c ON c.id = o.vehicle_id
        JOIN staff_employee e ON e.id = o.advisor_id
        LEFT JOIN compliance_archiverecord a ON a.subject_uid = o.uid AND a.kind = 'REPAIR_FILE'
        WHERE o.store_id = %(store_id)s AND o.closed_at >= %(day_start)s AND o.closed_at < %(day_end)s
    """,
    touched_by=("compliance.archive.archived", "reception.visit.departed"),
    scale=100,
    target="100",
)
