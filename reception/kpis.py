"""Figures of chapter 2, and the pages that carry out its clauses."""

from django.utils.translation import gettext_lazy as _

from dealership.process.clauses import screen
from dealership.process.figures import figure

screen("2.1.1", "checklists", _("Opening check"))
screen("2.1.2", "today", _("Today"))
screen("2.1.2", "visit-new", _("Receive a car"))
screen("2.3", "customers", _("Customers"))
screen("2.1.4", "today", _("Today"))
screen("2.1.3", "scripts", _("Standard phrases"))
screen("2.1.3", "observations", _("Observations"))
screen("2.1.4", "reception-effect", _("Effect of the reception"))
screen("2.3", "customer-duplicates", _("Duplicates"))
screen("2.2.1", "consultations", _("Questions"))
screen("2.2.2", "knowledge", _("Knowledge"))
screen("2.2.2", "price-list", _("Price list"))
screen("2.2.2", "quotations", _("Quotations"))
screen("2.2.2", "consultations", _("Questions"))
screen("7.3", "customer-looks", _("Looks at whole numbers"))
screen("2.3", "search", _("Search"))
screen("2.4", "appointments", _("Appointments"))
screen("1.3", "today", _("Today"))

# A visit counts on the day of its arrival, whenever it is greeted, rated or left.
ARRIVED_ON = """
    SELECT (v.arrived_at AT TIME ZONE s.time_zone)::date FROM reception_visit v
    JOIN kernel_store s ON s.id = v.store_id WHERE v.uid = %(root_uid)s
"""
# Rows for the whole store and for each advisor come from one scan: ROLLUP's total row has no advisor.
OPENED_IN_TIME = figure(
    "reception.opened_in_time",
    label=_("Areas checked before opening"),
    clause="2.1.1",
    unit="%",
    formula=_("checklists gone through by their hour ÷ checklists due"),
    population=_("checklists of the day whose shift somebody works"),
    sql="""
        SELECT '', count(o.id) FILTER (WHERE o.checked_at <= o.due_at), count(*)
        FROM reception_checklist c JOIN kernel_store s ON s.id = c.store_id JOIN staff_shift h ON h.id = c.shift_id
        CROSS JOIN LATERAL (SELECT (%(day_start)s::timestamptz AT TIME ZONE s.time_zone)::date AS day) d
        LEFT JOIN reception_openingcheck o ON o.checklist_id = c.id AND o.day = d.day
        WHERE c.store_id = %(store_id)s AND c.starts_on <= d.day AND (c.ends_on IS NULL OR c.ends_on >= d.day)
          AND (o.id IS NOT NULL OR (
            (d.day + h.starts + c.due_minutes * interval '1 minute') AT TIME ZONE s.time_zone <= %(now)s
            AND EXISTS (SELECT 1 FROM staff_rosterday r
                WHERE r.store_id = c.store_id AND r.shift_id = c.shift_id AND r.day = d.day)))
    """,
    rows="""
        SELECT 'opening', c.uid, '', '', COALESCE(o.checked_at,
            (g::date + h.starts + c.due_minutes * interval '1 minute') AT TIME ZONE %(zone)s), '',
            COALESCE(e.name, ''), COALESCE((o.checked_at <= o.due_at)::int, 0), 1
        FROM reception_checklist c JOIN staff_shift h ON h.id = c.shift_id
        CROSS JOIN generate_series((%(day_start)s::timestamptz AT TIME ZONE %(zone)s)::date::timestamp,
            (%(day_end)s::timestamptz AT TIME ZONE %(zone)s)::date - interval '1 day', interval '1 day') g
        LEFT JOIN reception_openingcheck o ON o.checklist_id = c.id AND o.day = g::date
        LEFT JOIN staff_employee e ON e.id = o.checked_by_id
        WHERE c.store_id = %(store_id)s AND c.starts_on <= g::date AND (c.ends_on IS NULL OR c.ends_on >= g::date)
          AND (o.id IS NOT NULL OR (
            (g::date + h.starts + c.due_minutes * interval '1 minute') AT TIME ZONE %(zone)s <= %(now)s
            AND EXISTS (SELECT 1 FROM staff_rosterday r
                WHERE r.store_id = c.store_id AND r.shift_id = c.shift_id AND r.day = g::date)))
    """,
    touched_by=("reception.opening_check.checked", "reception.visit.arrived"),
    scale=100,
    target="100",
)
STANDARD_KEPT = figure(
    "reception.standard_kept",
    label=_("Standard of reception kept"),
    clause="2.1.3",
    unit="%",
    formula=_("points given ÷ possible points"),
    population=_("points of the standard that were scored on the floor that day"),
    sql="""
        SELECT COALESCE(e.uid::text, ''), sum(c.points), sum(2)
        FROM reception_observation o JOIN reception_observationscore c ON c.observation_id = o.id
        JOIN staff_employee e ON e.id = o.employee_id
        WHERE o.store_id = %(store_id)s AND o.at >= %(day_start)s AND o.at < %(day_end)s
        GROUP BY ROLLUP (e.uid::text) HAVING count(*) > 0
    """,
    rows="""
        SELECT 'observation', o.uid, '', '', o.at, e.uid::text, e.name, sum(c.points), sum(2)
        FROM reception_observation o JOIN reception_observationscore c ON c.observation_id = o.id
        JOIN staff_employee e ON e.id = o.employee_id
        WHERE o.store_id = %(store_id)s AND o.at >= %(day_start)s AND o.at < %(day_end)s
        GROUP BY o.id, e.id
    """,
    touched_by=("reception.observation.observed",),
    scale=100,
    target="90",
)
CARS_IN = figure(
    "reception.cars_in",
    label=_("Cars in"),
    clause="2.1.2",
    unit=_("cars"),
    formula=_("number of arrivals"),
    population=_("visits that arrived on the day"),
    sql="""
        SELECT COALESCE(e.uid::text, ''), count(*), count(*)
        FROM reception_visit v LEFT JOIN staff_employee e ON e.id = v.advisor_id
        WHERE v.store_id = %(store_id)s AND v.arrived_at >= %(day_start)s AND v.arrived_at < %(day_end)s
        GROUP BY ROLLUP (e.uid::text) HAVING GROUPING(e.uid::text) = 1 OR e.uid::text IS NOT NULL
    """,
    rows="""
        SELECT 'visit', v.uid, c.plate, c.plate_color, v.arrived_at, COALESCE(e.uid::text, ''), COALESCE(e.name, ''), 1, 1
        FROM reception_visit v JOIN reception_vehicle c ON c.id = v.vehicle_id
        LEFT JOIN staff_employee e ON e.id = v.advisor_id
        WHERE v.store_id = %(store_id)s AND v.arrived_at >= %(day_start)s AND v.arrived_at < %(day_end)s
    """,
    touched_by=("reception.visit.arrived", "reception.visit.greeted"),
    days=ARRIVED_ON,
    decimals=0,
    higher_is_better=None,
    sums=True,
)
WAIT_MINUTES = figure(
    "reception.wait_minutes",
    label=_("Wait until received"),
    clause="2.1.2",
    unit=_("min"),
    formula=_("sum of minutes from arrival to reception ÷ received customers"),
    population=_("visits that arrived on the day and were received"),
    sql="""
        SELECT COALESCE(e.uid::text, ''), sum(extract(epoch FROM v.greeted_at - v.arrived_at) / 60), count(*)
        FROM reception_visit v LEFT JOIN staff_employee e ON e.id = v.advisor_id
        WHERE v.store_id = %(store_id)s AND v.arrived_at >= %(day_start)s AND v.arrived_at < %(day_end)s
          AND v.greeted_at IS NOT NULL
        GROUP BY ROLLUP (e.uid::text) HAVING GROUPING(e.uid::text) = 1 OR e.uid::text IS NOT NULL
    """,
    rows="""
        SELECT 'visit', v.uid, c.plate, c.plate_color, v.arrived_at, COALESCE(e.uid::text, ''), COALESCE(e.name, ''),
            extract(epoch FROM v.greeted_at - v.arrived_at) / 60, 1
        FROM reception_visit v JOIN reception_vehicle c ON c.id = v.vehicle_id
        LEFT JOIN staff_employee e ON e.id = v.advisor_id
        WHERE v.store_id = %(store_id)s AND v.arrived_at >= %(day_start)s AND v.arrived_at < %(day_end)s
          AND v.greeted_at IS NOT NULL
    """,
    touched_by=("reception.visit.arrived", "reception.visit.greeted"),
    days=ARRIVED_ON,
    higher_is_better=False,
    target="5",
)
UNSERVED = figure(
    "reception.left_unserved",
    label=_("Left without reception"),
    clause="2.1.4",
    unit="%",
    formula=_("visits that left unserved ÷ arrivals"),
    population=_("visits that arrived on the day"),
    sql="""
        SELECT '', count(*) FILTER (WHERE state = 'LEFT_UNSERVED'), count(*) FROM reception_visit
        WHERE store_id = %(store_id)s AND arrived_at >= %(day_start)s AND arrived_at < %(day_end)s
    """,
    rows="""
        SELECT 'visit', v.uid, c.plate, c.plate_color, v.arrived_at, COALESCE(e.uid::text, ''), COALESCE(e.name, ''),
            (v.state = 'LEFT_UNSERVED')::int, 1
        FROM reception_visit v JOIN reception_vehicle c ON c.id = v.vehicle_id
        LEFT JOIN staff_employee e ON e.id = v.advisor_id
        WHERE v.store_id = %(store_id)s AND v.arrived_at >= %(day_start)s AND v.arrived_at < %(day_end)s
    """,
    touched_by=("reception.visit.arrived", "reception.visit.left_unserved"),
    days=ARRIVED_ON,
    scale=100,
    higher_is_better=False,
)
RATING = figure(
    "reception.rating",
    label=_("Rating of the reception"),
    clause="2.1.4",
    unit=_("of 5"),
    formula=_("sum of ratings ÷ rated visits"),
    population=_("visits that arrived on the day and were rated by the customer"),
    sql="""
        SELECT COALESCE(e.uid::text, ''), sum(v.rating), count(*)
        FROM reception_visit v LEFT JOIN staff_employee e ON e.id = v.advisor_id
        WHERE v.store_id = %(store_id)s AND v.arrived_at >= %(day_start)s AND v.arrived_at < %(day_end)s
          AND v.rating IS NOT NULL
        GROUP BY ROLLUP (e.uid::text) HAVING GROUPING(e.uid::text) = 1 OR e.uid::text IS NOT NULL
    """,
    rows="""
        SELECT 'visit', v.uid, c.plate, c.plate_color, v.arrived_at, COALESCE(e.uid::text, ''), COALESCE(e.name, ''), v.rating, 1
        FROM reception_visit v JOIN reception_vehicle c ON c.id = v.vehicle_id
        LEFT JOIN staff_employee e ON e.id = v.advisor_id
        WHERE v.store_id = %(store_id)s AND v.arrived_at >= %(day_start)s AND v.arrived_at < %(day_end)s
          AND v.rating IS NOT NULL
    """,
    touched_by=("reception.visit.rated", "reception.visit.arrived"),
    days=ARRIVED_ON,
    decimals=2,
)
BOOKED_SHARE = figure(
    "reception.booked_share",
    label=_("Share of booked arrivals"),
    clause="2.4",
    unit="%",
    formula=_("arrivals with a booking ÷ arrivals"),
    population=_("visits that arrived on the day"),
    sql="""
        SELECT '', count(*) FILTER (WHERE appointment_id IS NOT NULL), count(*) FROM reception_visit
        WHERE store_id = %(store_id)s AND arrived_at >= %(day_start)s AND arrived_at < %(day_end)s
    """,
    rows="""
        SELECT 'visit', v.uid, c.plate, c.plate_color, v.arrived_at, COALESCE(e.uid::text, ''), COALESCE(e.name, ''),
            (v.appointment_id IS NOT NULL)::int, 1
        FROM reception_visit v JOIN reception_vehicle c ON c.id = v.vehicle_id
        LEFT JOIN staff_employee e ON e.id = v.advisor_id
        WHERE v.store_id = %(store_id)s AND v.arrived_at >= %(day_start)s AND v.arrived_at < %(day_end)s
    """,
    touched_by=("reception.visit.arrived",),
    scale=100,
    target="40",
)
NO_SHOW = figure(
    "reception.no_show",
    label=_("Booked but did not come"),
    clause="2.4",
    unit="%",
    formula=_("no-shows ÷ bookings of the day that were not cancelled"),
    population=_("appointments of the day"),
    sql="""
        SELECT '', count(*) FILTER (WHERE state = 'NO_SHOW'), count(*) FROM reception_appointment
        WHERE store_id = %(store_id)s AND starts_at >= %(day_start)s AND starts_at < %(day_end)s
          AND state IN ('ARRIVED', 'NO_SHOW')
    """,
    rows="""
        SELECT 'appointment', a.uid, c.plate, c.plate_color, a.starts_at, COALESCE(e.uid::text, ''), COALESCE(e.name, ''),
            (a.state = 'NO_SHOW')::int, 1
        FROM reception_appointment a JOIN reception_vehicle c ON c.id = a.vehicle_id
        LEFT JOIN staff_employee e ON e.id = a.advisor_id
        WHERE a.store_id = %(store_id)s AND a.starts_at >= %(day_start)s AND a.starts_at < %(day_end)s
          AND a.state IN ('ARRIVED', 'NO_SHOW')
    """,
    touched_by=("reception.visit.arrived", "reception.appointment.not_shown"),
    days="""
        SELECT (a.starts_at AT TIME ZONE s.time_zone)::date FROM reception_appointment a
        JOIN kernel_store s ON s.id = a.store_id LEFT JOIN reception_visit v ON v.appointment_id = a.id
        WHERE a.uid = %(root_uid)s OR v.uid = %(root_uid)s
    """,
    scale=100,
    higher_is_better=False,
)
MOVED_BY_SHOP = figure(
    "reception.moved_by_shop",
    label=_("Bookings the shop had to move"),
    clause="2.4",
    unit="%",
    formula=_("bookings that the shop moved at least once ÷ bookings of the day that were not cancelled"),
    population=_("appointments of the day"),
    sql="""
        SELECT '', count(*) FILTER (WHERE shop_moves > 0), count(*) FROM reception_appointment
        WHERE store_id = %(store_id)s AND starts_at >= %(day_start)s AND starts_at < %(day_end)s
          AND state IN ('ARRIVED', 'NO_SHOW')
    """,
    rows="""
        SELECT 'appointment', a.uid, c.plate, c.plate_color, a.starts_at, COALESCE(e.uid::text, ''), COALESCE(e.name, ''),
            (a.shop_moves > 0)::int, 1
        FROM reception_appointment a JOIN reception_vehicle c ON c.id = a.vehicle_id
        LEFT JOIN staff_employee e ON e.id = a.advisor_id
        WHERE a.store_id = %(store_id)s AND a.starts_at >= %(day_start)s AND a.starts_at < %(day_end)s
          AND a.state IN ('ARRIVED', 'NO_SHOW')
    """,
    touched_by=("reception.visit.arrived", "reception.appointment.not_shown"),
    days="""
        SELECT (a.starts_at AT TIME ZONE s.time_zone)::date FROM reception_appointment a
        JOIN kernel_store s ON s.id = a.store_id LEFT JOIN reception_visit v ON v.appointment_id = a.id
        WHERE a.uid = %(root_uid)s OR v.uid = %(root_uid)s
    """,
    scale=100,
    higher_is_better=False,
)
ARRIVALS_BY_HOUR = figure(
    "reception.arrivals_by_hour",
    label=_("Arrivals by hour"),
    clause="2.1.4",
    unit=_("cars"),
    formula=_("number of arrivals in each hour of the day"),
    population=_("visits that arrived on the day"),
    sql="""
        SELECT COALESCE('h' || lpad(extract(hour FROM v.arrived_at AT TIME ZONE s.time_zone)::text, 2, '0'), ''),
            count(*), count(*)
        FROM reception_visit v JOIN kernel_store s ON s.id = v.store_id
        WHERE v.store_id = %(store_id)s AND v.arrived_at >= %(day_start)s AND v.arrived_at < %(day_end)s
        GROUP BY ROLLUP ('h' || lpad(extract(hour FROM v.arrived_at AT TIME ZONE s.time_zone)::text, 2, '0'))
    """,
    rows="""
        SELECT 'visit', v.uid, c.plate, c.plate_color, v.arrived_at,
            'h' || lpad(extract(hour FROM v.arrived_at AT TIME ZONE s.time_zone)::text, 2, '0'), COALESCE(e.name, ''), 1, 1
        FROM reception_visit v JOIN reception_vehicle c ON c.id = v.vehicle_id JOIN kernel_store s ON s.id = v.store_id
        LEFT JOIN staff_employee e ON e.id = v.advisor_id
        WHERE v.store_id = %(store_id)s AND v.arrived_at >= %(day_start)s AND v.arrived_at < %(day_end)s
    """,
    touched_by=("reception.visit.arrived",),
    decimals=0,
    higher_is_better=None,
    sums=True,
)

# --- consultations (2.2) ---
# A question counts on the day on which the clock of its answer began: the day it came, or came again.
ANSWERED_IN_TIME = figure(
    "reception.answered_in_time",
    label=_("Questions answered in time"),
    clause="2.2.1",
    unit="%",
    formula=_("questions answered within the limit of their channel ÷ questions"),
    population=_("questions and further words of customers of the day"),
    sql="""
        SELECT COALESCE(c.channel, ''), count(*) FILTER (WHERE k.met_at <= k.due_at), count(*)
        FROM reception_consultationclock k JOIN reception_consultation c ON c.id = k.consultation_id
        WHERE c.store_id = %(store_id)s AND k.kind = 'RESPONSE'
          AND k.started_at >= %(day_start)s AND k.started_at < %(day_end)s
        GROUP BY ROLLUP (c.channel)
    """,
    rows="""
        SELECT 'consultation', c.uid, COALESCE(v.plate, ''), COALESCE(v.plate_color, ''), k.started_at, c.channel,
            COALESCE(e.name, ''), COALESCE((k.met_at <= k.due_at)::int, 0), 1
        FROM reception_consultationclock k JOIN reception_consultation c ON c.id = k.consultation_id
        LEFT JOIN reception_vehicle v ON v.id = c.vehicle_id LEFT JOIN staff_employee e ON e.id = c.assignee_id
        WHERE c.store_id = %(store_id)s AND k.kind = 'RESPONSE'
          AND k.started_at >= %(day_start)s AND k.started_at < %(day_end)s
    """,
    touched_by=(
        "reception.consultation.asked",
        "reception.consultation.written",
        "reception.consultation.answered",
        "reception.consultation.ended",
    ),
    days="""
        SELECT DISTINCT (k.started_at AT TIME ZONE s.time_zone)::date FROM reception_consultationclock k
        JOIN reception_consultation c ON c.id = k.consultation_id JOIN kernel_store s ON s.id = c.store_id
        WHERE c.uid = %(root_uid)s AND k.kind = 'RESPONSE'
    """,
    scale=100,
    target="95",
)
ANSWERS_CITED = figure(
    "reception.answers_cited",
    label=_("Answers that name an article"),
    clause="2.2.2",
    unit="%",
    formula=_("answers that name an article and its version ÷ answers"),
    population=_("answers of the day to questions about models, prices, intervals, warranty and service"),
    sql="""
        SELECT COALESCE(c.topic, ''),
            count(*) FILTER (WHERE EXISTS (SELECT 1 FROM reception_citation z WHERE z.message_id = m.id)), count(*)
        FROM reception_consultationmessage m JOIN reception_consultation c ON c.id = m.consultation_id
        WHERE c.store_id = %(store_id)s AND m.direction = 'OUT' AND c.topic <> 'OTHER'
          AND m.at >= %(day_start)s AND m.at < %(day_end)s
        GROUP BY ROLLUP (c.topic)
    """,
    rows="""
        SELECT 'consultation', c.uid, COALESCE(v.plate, ''), COALESCE(v.plate_color, ''), m.at, c.topic,
            COALESCE(e.name, ''), (EXISTS (SELECT 1 FROM reception_citation z WHERE z.message_id = m.id))::int, 1
        FROM reception_consultationmessage m JOIN reception_consultation c ON c.id = m.consultation_id
        LEFT JOIN reception_vehicle v ON v.id = c.vehicle_id LEFT JOIN staff_employee e ON e.id = m.author_id
        WHERE c.store_id = %(store_id)s AND m.direction = 'OUT' AND c.topic <> 'OTHER'
          AND m.at >= %(day_start)s AND m.at < %(day_end)s
    """,
    touched_by=("reception.consultation.answered",),
    scale=100,
)
