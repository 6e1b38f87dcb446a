"""What a technician's hours are counted by (6.1): presence, work and what is earned, as SQL for the figures of ``kpis``.

Attendance is the shift without its break together with what was clocked outside it: nobody works who isn't there. A day
of a person counts once the shift is over, so that a figure never stands for half a morning.
"""

SPAN = """
    span AS (
        SELECT s.id AS store_id, s.time_zone AS zone, d::date AS day, d AT TIME ZONE s.time_zone AS starts,
            (d + interval '1 day') AT TIME ZONE s.time_zone AS ends
        FROM kernel_store s, generate_series(
            (%(day_start)s::timestamptz AT TIME ZONE s.time_zone)::date::timestamp,
            (%(day_end)s::timestamptz AT TIME ZONE s.time_zone)::date - interval '1 day', interval '1 day') d
        WHERE s.id = %(store_id)s
    )"""
"""Each day between the two moments at the store."""
PRESENT = """
    shift AS (
        SELECT r.employee_id, p.day, h.name, (p.day + h.ends) AT TIME ZONE p.zone <= %(now)s::timestamptz AS over,
            tstzmultirange(tstzrange((p.day + h.starts) AT TIME ZONE p.zone, (p.day + h.ends) AT TIME ZONE p.zone))
            - CASE WHEN h.break_from < h.break_to THEN tstzmultirange(tstzrange(
                (p.day + h.break_from) AT TIME ZONE p.zone, (p.day + h.break_to) AT TIME ZONE p.zone))
                ELSE '{}'::tstzmultirange END AS hours
        FROM staff_rosterday r JOIN span p ON p.store_id = r.store_id AND p.day = r.day
        JOIN staff_shift h ON h.id = r.shift_id
        WHERE EXISTS (SELECT 1 FROM staff_postholding g JOIN staff_post t ON t.id = g.post_id
            WHERE g.employee_id = r.employee_id AND t.role = 'technician' AND g.starts_on <= r.day
              AND (g.ends_on IS NULL OR g.ends_on >= r.day))
    ), clocked AS (
        SELECT k.employee_id, p.day, range_agg(tstzrange(greatest(k.started_at, p.starts), least(k.ended_at, p.ends)))
            AS hours
        FROM workshop_clocking k JOIN span p ON p.store_id = k.store_id AND k.started_at < p.ends AND k.ended_at > p.starts
        WHERE k.ended_at > k.started_at GROUP BY k.employee_id, p.day
    ), present AS (
        SELECT employee_id, day, s.name, COALESCE(s.hours, '{}') + COALESCE(c.hours, '{}') AS there,
            COALESCE(c.hours, '{}') AS worked
        FROM shift s FULL JOIN clocked c USING (employee_id, day) WHERE COALESCE(s.over, true)
    ), attended AS (
        SELECT employee_id, day, name, lower(there) AS since,
            (SELECT sum(extract(epoch FROM upper(r) - lower(r))) / 3600 FROM unnest(there) r) AS hours,
            (SELECT COALESCE(sum(extract(epoch FROM upper(r) - lower(r))) / 3600, 0) FROM unnest(worked) r) AS worked
        FROM present
    )"""
"""Per person and day, after ``SPAN``: hours attended and hours worked. Only the shift of a technician's post counts."""
EARNED = """
    done AS (
        SELECT l.id, l.hours, l.completed_at, o.uid, v.plate, v.plate_color
        FROM workshop_orderline l JOIN workshop_repairorder o ON o.id = l.order_id
        JOIN reception_vehicle v ON v.id = o.vehicle_id
        WHERE o.store_id = %(store_id)s AND l.completed_at >= %(day_start)s AND l.completed_at < %(day_end)s
    ), took AS (
        SELECT c.line_id, c.employee_id, sum(extract(epoch FROM c.ended_at - c.started_at) / 3600) AS hours
        FROM workshop_clocking c JOIN done ON done.id = c.line_id WHERE c.ended_at IS NOT NULL
        GROUP BY c.line_id, c.employee_id
    ), given AS (
        SELECT d.line_id, d.technician_id AS employee_id, d.share
        FROM workshop_dispatch d JOIN done ON done.id = d.line_id WHERE d.live
    ), lots AS (
        SELECT line_id, employee_id, COALESCE(t.hours, 0) AS took, g.share,
            sum(t.hours) OVER line AS all_took, COALESCE(sum(t.hours) FILTER (WHERE g.share IS NULL) OVER line, 0) AS beside,
            sum(g.share) OVER line AS shares
        FROM took t FULL JOIN given g USING (line_id, employee_id) WINDOW line AS (PARTITION BY line_id)
    ), earned AS (
        SELECT d.id AS line_id, d.uid, d.plate, d.plate_color, d.completed_at, p.employee_id, p.took,
            d.hours * CASE WHEN p.share IS NULL THEN p.took / p.all_took
                ELSE (p.all_took - p.beside) / p.all_took * p.share / p.shares END AS hours
        FROM lots p JOIN done d ON d.id = p.line_id WHERE p.all_took > 0 AND (p.took > 0 OR p.share > 0)
    )"""
"""Per finished line and person: the standard hours earned and the hours it took.

The hours are divided by the shares of those who are given the line (6.1 asks whose the billed hours are, not who was
longest at it). Whoever clocked on without being given it has no share: theirs is the part of the hours that their time
is of all time on the line, and the shares divide what is left.
"""
SOLD = """
    sold AS (
        SELECT e.*, p.day FROM earned e JOIN span p ON e.completed_at >= p.starts AND e.completed_at < p.ends
        WHERE NOT EXISTS (SELECT 1 FROM shift s
            WHERE s.employee_id = e.employee_id AND s.day = p.day AND NOT s.over)
    )"""
"""What was earned on a day whose shift is over, after ``SPAN``, ``PRESENT`` and ``EARNED``."""
JOBS = """
    jobs AS (
        SELECT k.employee_id, o.uid, v.plate, v.plate_color, greatest(k.started_at, p.starts) AS at,
            extract(epoch FROM least(k.ended_at, p.ends) - greatest(k.started_at, p.starts)) / 3600 AS hours
        FROM workshop_clocking k JOIN span p ON p.store_id = k.store_id AND k.started_at < p.ends AND k.ended_at > p.starts
        JOIN workshop_orderline l ON l.id = k.line_id JOIN workshop_repairorder o ON o.id = l.order_id
        JOIN reception_vehicle v ON v.id = o.vehicle_id
        WHERE k.ended_at > k.started_at AND NOT EXISTS (SELECT 1 FROM shift s
            WHERE s.employee_id = k.employee_id AND s.day = p.day AND NOT s.over)
    )"""
"""Each stretch of work that ``attended`` counts with the order it was for, after ``SPAN`` and ``PRESENT``."""
WORK_EVENTS = (
    "workshop.line.finished",
    "workshop.line.paused",
    "workshop.clocking.corrected",
    "workshop.clocking.left",
    "workshop.inspection.failed",
    "staff.roster.set",
    "staff.roster.planned",
    "staff.post.given",
    "staff.post.ended",
)
"""After these the hours worked, attended or earned of a day are counted anew."""

DAYS_OF_WORK = """
    SELECT DISTINCT (at AT TIME ZONE s.time_zone)::date
    FROM workshop_clocking c JOIN kernel_store s ON s.id = c.store_id
    JOIN workshop_orderline l ON l.id = c.line_id CROSS JOIN LATERAL (
        SELECT unnest(ARRAY[c.started_at, c.ended_at]) AS at
        UNION ALL SELECT (h.changed -> f ->> n)::timestamptz
        FROM kernel_history h, unnest(ARRAY['started_at', 'ended_at']) f, unnest(ARRAY[0, 1]) n
        WHERE h.root_uid = c.uid AND h.code = 'workshop.clocking.corrected' AND c.uid = %(root_uid)s
    ) moments
    WHERE (c.uid = %(root_uid)s OR l.uid = %(root_uid)s) AND at IS NOT NULL
    UNION SELECT day FROM staff_rosterday WHERE uid = %(root_uid)s
    UNION SELECT r.day FROM staff_rosterday r JOIN staff_employee e ON e.id = r.employee_id
    JOIN kernel_history h ON h.root_uid = e.uid AND h.code = 'staff.roster.planned'
    WHERE e.uid = %(root_uid)s AND r.day BETWEEN (h.facts ->> 'first')::date AND (h.facts ->> 'last')::date
      AND r.day <= (h.at AT TIME ZONE (SELECT time_zone FROM kernel_store k WHERE k.id = r.store_id))::date
"""
"""The days whose attendance or work an event changes: of a clocking as it is and as it was, of a line, of a roster."""
SHIFT_OVER = """
    SELECT r.store_id, (r.day + h.ends) AT TIME ZONE s.time_zone
    FROM staff_rosterday r JOIN staff_shift h ON h.id = r.shift_id JOIN kernel_store s ON s.id = r.store_id
    WHERE r.day BETWEEN (%(now)s::timestamptz AT TIME ZONE s.time_zone)::date - 7
        AND (%(now)s::timestamptz AT TIME ZONE s.time_zone)::date
      AND (r.day + h.ends) AT TIME ZONE s.time_zone <= %(now)s::timestamptz
      AND EXISTS (SELECT 1 FROM staff_postholding g JOIN staff_post t ON t.id = g.post_id
        WHERE g.employee_id = r.employee_id AND t.role = 'technician' AND g.starts_on <= r.day
          AND (g.ends_on IS NULL OR g.ends_on >= r.day))
      AND NOT EXISTS (SELECT 1 FROM process_kpivalue k WHERE k.store_id = r.store_id AND k.day = r.day
        AND k.code = 'workshop.utilisation' AND k.dimension = ''
        AND k.computed_at >= (r.day + h.ends) AT TIME ZONE s.time_zone)
    GROUP BY 1, 2
"""
"""Shifts of technicians that have ended since their day was counted."""
