"""The order's stage as a function of its lines, holds and end marks (design 5, 3.2)."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION workshop_derive_stage(target bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    o workshop_repairorder%ROWTYPE;
    derived text;
    open_lines int; held int; started int; done int; pending int; drafts int; completed int; ended int; alive int;
BEGIN
    SELECT * INTO o FROM workshop_repairorder WHERE id = target;
    IF NOT FOUND THEN RETURN; END IF;
    SELECT count(*) FILTER (WHERE l.state IN ('AUTHORIZED', 'IN_PROGRESS')),
           count(*) FILTER (WHERE l.state IN ('AUTHORIZED', 'IN_PROGRESS') AND h.id IS NOT NULL),
           count(*) FILTER (WHERE l.state = 'IN_PROGRESS'),
           count(*) FILTER (WHERE l.state IN ('COMPLETED', 'INSPECTED')),
           count(*) FILTER (WHERE l.state = 'PENDING'),
           count(*) FILTER (WHERE l.state = 'DRAFT'),
           count(*) FILTER (WHERE l.state = 'COMPLETED'),
           count(*) FILTER (WHERE l.state IN ('INSPECTED', 'WITHDRAWN', 'DECLINED')),
           count(*) FILTER (WHERE l.state <> 'CANCELLED')
    INTO open_lines, held, started, done, pending, drafts, completed, ended, alive
    FROM workshop_orderline l
    LEFT JOIN workshop_linehold h ON h.line_id = l.id AND h.ended_at IS NULL
    WHERE l.order_id = target;
    derived := CASE
        WHEN o.closed_at IS NOT NULL THEN 'CLOSED'
        WHEN o.settled_at IS NOT NULL THEN 'SETTLED'
        WHEN alive = 0 THEN CASE WHEN o.withdrawn_at IS NULL THEN 'DRAFT' ELSE 'CANCELLED' END
        WHEN open_lines > 0 AND held = open_lines THEN 'ON_HOLD'
        WHEN open_lines > 0 AND started + done > 0 THEN 'IN_WORK'
        WHEN open_lines > 0 THEN 'AUTHORIZED'
        WHEN pending > 0 THEN 'AWAITING_AUTHORIZATION'
        WHEN drafts > 0 THEN 'DRAFT'
        WHEN completed > 0 THEN 'INSPECTION'
        ELSE 'READY'
    END;
    UPDATE workshop_repairorder SET stage = derived WHERE id = target AND stage <> derived;
END $$;
COMMENT ON FUNCTION workshop_derive_stage(bigint) IS '3.2: the stage of a repair order follows from its lines';
"""


class Migration(migrations.Migration):
    dependencies = [("workshop", "0001_initial")]
    operations = [migrations.RunSQL(FORWARD, "DROP FUNCTION workshop_derive_stage(bigint)")]
