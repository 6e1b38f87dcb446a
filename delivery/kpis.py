"""Figures of chapter 4, and the pages that carry out its clauses."""

from django.utils.translation import gettext_lazy as _

from dealership.process.clauses import screen
from dealership.process.figures import figure

screen("4.1", "delivery-board", _("Delivery"))
screen("4.1", "gate", _("Gate"))
screen("4.2", "follow-up-list", _("Follow-up"))
screen("4.3", "satisfaction", _("Satisfaction"))
screen("3.2", "rework-list", _("Rework"))

DELIVERED = figure(
    "delivery.cars_out",
    label=_("Cars handed over"),
    clause="4.1",
    unit=_("cars"),
    formula=_("number of hand-overs"),
    population=_("hand-overs of the day"),
    sql="""
        SELECT COALESCE(e.uid::text, ''), count(*), count(*)
        FROM delivery_handover h JOIN staff_employee e ON e.id = h.advisor_id
        WHERE h.store_id = %(store_id)s AND h.at >= %(day_start)s AND h.at < %(day_end)s
        GROUP BY ROLLUP (e.uid::text)
    """,
    rows="""
        SELECT 'visit', v.uid, c.plate, c.plate_color, h.at, e.uid::text, e.name, 1, 1
        FROM delivery_handover h JOIN reception_visit v ON v.id = h.visit_id
        JOIN reception_vehicle c ON c.id = v.vehicle_id JOIN staff_employee e ON e.id = h.advisor_id
        WHERE h.store_id = %(store_id)s AND h.at >= %(day_start)s AND h.at < %(day_end)s
    """,
    touched_by=("delivery.handover.done",),
    decimals=0,
    higher_is_better=None,
    sums=True,
)
ON_TIME = figure(
    "delivery.on_time",
    label=_("Handed over on time"),
    clause="4.1",
    unit="%",
    formula=_("hand-overs not later than promised ÷ hand-overs with a promise"),
    population=_("hand-overs of the day with a promised time"),
    sql="""
        SELECT COALESCE(e.uid::text, ''), count(*) FILTER (WHERE h.punctual), count(*)
        FROM delivery_handover h JOIN staff_employee e ON e.id = h.advisor_id
        WHERE h.store_id = %(store_id)s AND h.at >= %(day_start)s AND h.at < %(day_end)s AND h.punctual IS NOT NULL
        GROUP BY ROLLUP (e.uid::text)
    """,
    rows="""
        SELECT 'visit', v.uid, c.plate, c.plate_color, h.at, e.uid::text, e.name, h.punctual::int, 1
        FROM delivery_handover h JOIN reception_visit v ON v.id = h.visit_id
        JOIN reception_vehicle c ON c.id = v.vehicle_id JOIN staff_employee e ON e.id = h.advisor_id
        WHERE h.store_id = %(store_id)s AND h.at >= %(day_start)s AND h.at < %(day_end)s AND h.punctual IS NOT NULL
    """,
    touched_by=("delivery.handover.done",),
    scale=100,
    target="95",
)
REVENUE = figure(
    "delivery.revenue",
    label=_("Revenue"),
    clause="4.1",
    unit="¥",
    formula=_("sum of signed settlement lists, VAT included"),
    population=_("settlement lists signed on the day"),
    sql="""
        SELECT COALESCE(e.uid::text, ''), sum(s.total), count(*)
        FROM delivery_settlement s JOIN workshop_repairorder o ON o.id = s.order_id
        JOIN staff_employee e ON e.id = o.advisor_id
        WHERE s.store_id = %(store_id)s AND s.state = 'SIGNED'
          AND s.signed_at >= %(day_start)s AND s.signed_at < %(day_end)s
        GROUP BY ROLLUP (e.uid::text)
    """,
    rows="""
        SELECT 'order', o.uid, c.plate, c.plate_color, s.signed_at, e.uid::text, e.name, s.total, 1
        FROM delivery_settlement s JOIN workshop_repairorder o ON o.id = s.order_id
        JOIN reception_vehicle c ON c.id = o.vehicle_id JOIN staff_employee e ON e.id = o.advisor_id
        WHERE s.store_id = %(store_id)s AND s.state = 'SIGNED'
          AND s.signed_at >= %(day_start)s AND s.signed_at < %(day_end)s
    """,
    touched_by=("delivery.settlement.signed",),
    decimals=2,
    sums=True,
)
HOURS_PER_ORDER = figure(
    "delivery.hours_per_order",
    label=_("Hours per order"),
    clause="4.1",
    unit="h",
    formula=_("labour hours on signed lists ÷ signed lists"),
    population=_("settlement lists signed on the day"),
    sql="""
        WITH lists AS (
            SELECT s.id, e.uid::text AS advisor,
                (SELECT COALESCE(sum(l.quantity), 0) FROM delivery_settlementline l
                 WHERE l.settlement_id = s.id AND l.kind = 'LABOR') AS hours
            FROM delivery_settlement s JOIN workshop_repairorder o ON o.id = s.order_id
            JOIN staff_employee e ON e.id = o.advisor_id
            WHERE s.store_id = %(store_id)s AND s.state = 'SIGNED'
              AND s.signed_at >= %(day_start)s AND s.signed_at < %(day_end)s
        )
        SELECT COALESCE(advisor, ''), sum(hours), count(*) FROM lists GROUP BY ROLLUP (advisor)
    """,
    rows="""
        SELECT 'order', o.uid, c.plate, c.plate_color, s.signed_at, e.uid::text, e.name, (SELECT COALESCE(sum(l.quantity), 0)
            FROM delivery_settlementline l WHERE l.settlement_id = s.id AND l.kind = 'LABOR'), 1
        FROM delivery_settlement s JOIN workshop_repairorder o ON o.id = s.order_id
        JOIN reception_vehicle c ON c.id = o.vehicle_id JOIN staff_employee e ON e.id = o.advisor_id
        WHERE s.store_id = %(store_id)s AND s.state = 'SIGNED'
          AND s.signed_at >= %(day_start)s AND s.signed_at < %(day_end)s
    """,
    touched_by=("delivery.settlement.signed",),
    decimals=2,
    target="2",
)
CALLED = figure(
    "delivery.callback_reached",
    label=_("Callbacks reached"),
    clause="4.2",
    unit="%",
    formula=_("callbacks reached ÷ callbacks due"),
    population=_("callbacks due on the day"),
    sql="""
        SELECT '', count(*) FILTER (WHERE state = 'REACHED'), count(*) FROM delivery_followup f
        JOIN kernel_store s ON s.id = f.store_id
        WHERE f.store_id = %(store_id)s AND f.due_on = (%(day_start)s::timestamptz AT TIME ZONE s.time_zone)::date
    """,
    rows="""
        SELECT 'visit', v.uid, c.plate, c.plate_color, v.left_at, COALESCE(e.uid::text, ''), COALESCE(e.name, ''),
            (f.state = 'REACHED')::int, 1
        FROM delivery_followup f JOIN reception_visit v ON v.id = f.visit_id
        JOIN reception_vehicle c ON c.id = v.vehicle_id LEFT JOIN staff_employee e ON e.id = v.advisor_id
        WHERE f.store_id = %(store_id)s AND f.due_on >= (%(day_start)s::timestamptz AT TIME ZONE %(zone)s)::date
          AND f.due_on < (%(day_end)s::timestamptz AT TIME ZONE %(zone)s)::date
    """,
    touched_by=("delivery.follow_up.planned", "delivery.follow_up.called", "delivery.follow_up.closed"),
    days="SELECT due_on FROM delivery_followup WHERE uid = %(root_uid)s",
    scale=100,
    target="80",
)
CSI = figure(
    "delivery.csi",
    label="CSI",
    clause="4.3",
    unit=_("of 100"),
    formula=_("Σ weight × mean score ÷ 5: reception 25, facility 15, course 20, quality 25, hand-over 15"),
    population=_("surveys answered on the day"),
    sql="""
        WITH answered AS (
            SELECT s.id, e.uid::text AS advisor, sum(a.score / 5.0 * CASE a.dimension
                WHEN 'RECEPTION' THEN 25 WHEN 'FACILITY' THEN 15 WHEN 'PROCESS' THEN 20
                WHEN 'QUALITY' THEN 25 WHEN 'DELIVERY' THEN 15 END)
                / NULLIF(sum(CASE a.dimension WHEN 'RECEPTION' THEN 25 WHEN 'FACILITY' THEN 15 WHEN 'PROCESS' THEN 20
                WHEN 'QUALITY' THEN 25 WHEN 'DELIVERY' THEN 15 END), 0) * 100 AS score
            FROM delivery_survey s JOIN delivery_surveyanswer a ON a.survey_id = s.id
            JOIN reception_visit v ON v.id = s.visit_id LEFT JOIN staff_employee e ON e.id = v.advisor_id
            WHERE s.store_id = %(store_id)s AND s.answered_at >= %(day_start)s AND s.answered_at < %(day_end)s
            GROUP BY s.id, e.uid
        )
        SELECT COALESCE(advisor, ''), sum(score), count(*) FROM answered
        GROUP BY ROLLUP (advisor) HAVING GROUPING(advisor) = 1 OR advisor IS NOT NULL
    """,
    rows="""
        SELECT 'visit', v.uid, c.plate, c.plate_color, s.answered_at, COALESCE(e.uid::text, ''), COALESCE(e.name, ''),
            sum(a.score / 5.0 * w.weight) / NULLIF(sum(w.weight), 0) * 100, 1
        FROM delivery_survey s JOIN delivery_surveyanswer a ON a.survey_id = s.id
        JOIN (VALUES ('RECEPTION', 25), ('FACILITY', 15), ('PROCESS', 20), ('QUALITY', 25), ('DELIVERY', 15))
            AS w (dimension, weight) ON w.dimension = a.dimension
        JOIN reception_visit v ON v.id = s.visit_id JOIN reception_vehicle c ON c.id = v.vehicle_id
        LEFT JOIN staff_employee e ON e.id = v.advisor_id
        WHERE s.store_id = %(store_id)s AND s.answered_at >= %(day_start)s AND s.answered_at < %(day_end)s
        GROUP BY s.id, v.uid, c.plate, c.plate_color, e.uid, e.name
    """,
    touched_by=("delivery.survey.answered",),
    target="90",
)
NPS = figure(
    "delivery.nps",
    label="NPS",
    clause="4.3",
    unit="",
    formula=_("share of 9–10 minus share of 0–6"),
    population=_("surveys answered on the day"),
    sql="""
        SELECT '', count(*) FILTER (WHERE recommend >= 9) - count(*) FILTER (WHERE recommend <= 6), count(*)
        FROM delivery_survey WHERE store_id = %(store_id)s AND recommend IS NOT NULL
          AND answered_at >= %(day_start)s AND answered_at < %(day_end)s
    """,
    rows="""
        SELECT 'visit', v.uid, c.plate, c.plate_color, s.answered_at, COALESCE(e.uid::text, ''), COALESCE(e.name, ''),
            (s.recommend >= 9)::int - (s.recommend <= 6)::int, 1
        FROM delivery_survey s JOIN reception_visit v ON v.id = s.visit_id
        JOIN reception_vehicle c ON c.id = v.vehicle_id LEFT JOIN staff_employee e ON e.id = v.advisor_id
        WHERE s.store_id = %(store_id)s AND s.recommend IS NOT NULL
          AND s.answered_at >= %(day_start)s AND s.answered_at < %(day_end)s
    """,
    touched_by=("delivery.survey.answered",),
    scale=100,
    decimals=0,
)
CAME_BACK = figure(
    "delivery.came_back",
    label=_("Cars that came back within the guarantee"),
    clause="3.2",
    unit="%",
    formula=_("hand-overs whose work came back and was ours to mend ÷ hand-overs"),
    population=_("hand-overs of the day, whenever the car came back"),
    sql="""
        SELECT '', count(*) FILTER (WHERE EXISTS (SELECT 1 FROM delivery_reworkcase c WHERE c.handover_id = h.id
            AND c.state IN ('ACCEPTED', 'MENDED', 'SENT_OUT', 'PAID_OUT'))), count(*)
        FROM delivery_handover h
        WHERE h.store_id = %(store_id)s AND h.at >= %(day_start)s AND h.at < %(day_end)s
    """,
    rows="""
        SELECT 'visit', v.uid, c.plate, c.plate_color, h.at, e.uid::text, e.name,
            (EXISTS (SELECT 1 FROM delivery_reworkcase r WHERE r.handover_id = h.id
                AND r.state IN ('ACCEPTED', 'MENDED', 'SENT_OUT', 'PAID_OUT')))::int, 1
        FROM delivery_handover h JOIN reception_visit v ON v.id = h.visit_id
        JOIN reception_vehicle c ON c.id = v.vehicle_id JOIN staff_employee e ON e.id = h.advisor_id
        WHERE h.store_id = %(store_id)s AND h.at >= %(day_start)s AND h.at < %(day_end)s
    """,
    touched_by=("delivery.handover.done", "delivery.rework.accepted", "delivery.rework.withdrawn"),
    days="""
        SELECT (h.at AT TIME ZONE s.time_zone)::date FROM delivery_handover h JOIN kernel_store s ON s.id = h.store_id
        WHERE h.uid = %(root_uid)s
            OR h.id IN (SELECT handover_id FROM delivery_reworkcase WHERE uid = %(root_uid)s)
    """,
    scale=100,
    higher_is_better=False,
    target="3",
)

INTERNAL_COST = figure(
    "delivery.internal_cost",
    label=_("Work at the shop's cost"),
    clause="3.2",
    unit="¥",
    formula=_("sum of the lines that the shop bears (its own, or as goodwill), at their prices, VAT included"),
    population=_("lines on settlement lists signed on the day"),
    sql="""
        WITH lines AS (
            SELECT e.uid::text AS advisor, l.labor_amount + l.fee_amount + (SELECT COALESCE(sum(
                round(p.issued_quantity * p.unit_price, 2) - round(p.discount * p.issued_quantity / p.quantity, 2)), 0)
                FROM workshop_partline p WHERE p.line_id = l.id) AS amount
            FROM delivery_settlement s JOIN workshop_repairorder o ON o.id = s.order_id
            JOIN staff_employee e ON e.id = o.advisor_id
            JOIN workshop_orderline l ON l.order_id = o.id AND l.settled AND (l.pay_type = 'INTERNAL'
                OR (l.pay_type = 'GOODWILL' AND (SELECT g.bearer FROM workshop_linegoodwill g
                    JOIN kernel_approval a ON a.id = g.approval_id AND a.state = 'APPROVED'
                    WHERE g.line_id IN (l.id, l.reassembles_id) ORDER BY g.id DESC LIMIT 1) = 'SHOP'))
            WHERE s.store_id = %(store_id)s AND s.state = 'SIGNED'
              AND s.signed_at >= %(day_start)s AND s.signed_at < %(day_end)s
        )
        SELECT COALESCE(advisor, ''), sum(amount), count(*) FROM lines GROUP BY ROLLUP (advisor)
    """,
    rows="""
        SELECT 'order', o.uid, c.plate, c.plate_color, s.signed_at, e.uid::text, e.name,
            l.labor_amount + l.fee_amount + (SELECT COALESCE(sum(round(p.issued_quantity * p.unit_price, 2)
                - round(p.discount * p.issued_quantity / p.quantity, 2)), 0) FROM workshop_partline p WHERE p.line_id = l.id), 1
        FROM delivery_settlement s JOIN workshop_repairorder o ON o.id = s.order_id
        JOIN reception_vehicle c ON c.id = o.vehicle_id JOIN staff_employee e ON e.id = o.advisor_id
        JOIN workshop_orderline l ON l.order_id = o.id AND l.settled AND (l.pay_type = 'INTERNAL'
            OR (l.pay_type = 'GOODWILL' AND (SELECT g.bearer FROM workshop_linegoodwill g
                JOIN kernel_approval a ON a.id = g.approval_id AND a.state = 'APPROVED'
                WHERE g.line_id IN (l.id, l.reassembles_id) ORDER BY g.id DESC LIMIT 1) = 'SHOP'))
        WHERE s.store_id = %(store_id)s AND s.state = 'SIGNED'
          AND s.signed_at >= %(day_start)s AND s.signed_at < %(day_end)s
    """,
    touched_by=("delivery.settlement.signed",),
    decimals=2,
    higher_is_better=False,
    sums=True,
)
