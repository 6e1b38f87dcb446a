"""What two tables must agree on: a settled line opens with a voided list only, and a list's rows add up (4.1, 3.2)."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION delivery_line_released_by_void() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM delivery_settlement s WHERE s.order_id = OLD.order_id ORDER BY s.id FOR SHARE;
    IF NOT EXISTS (SELECT 1 FROM delivery_settlementline r WHERE r.order_line_id = OLD.id)
        OR EXISTS (SELECT 1 FROM delivery_settlementline r JOIN delivery_settlement s ON s.id = r.settlement_id
            WHERE r.order_line_id = OLD.id AND s.state <> 'VOIDED')
    THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'orderline_released_by_void',
            TABLE = TG_TABLE_NAME, MESSAGE = 'orderline_released_by_void';
    END IF;
    RETURN NEW;
END $$;
COMMENT ON FUNCTION delivery_line_released_by_void() IS '4.1: a settled line opens again with a voided list only';
CREATE TRIGGER orderline_released_by_void BEFORE UPDATE OF settled ON workshop_orderline
    FOR EACH ROW WHEN (OLD.settled AND NOT NEW.settled) EXECUTE FUNCTION delivery_line_released_by_void();

CREATE FUNCTION delivery_settlement_adds_up() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    target bigint;
BEGIN
    IF TG_TABLE_NAME = 'delivery_settlement' THEN target := NEW.id; ELSE target := NEW.settlement_id; END IF;
    IF EXISTS (
        SELECT 1 FROM delivery_settlement s
        WHERE s.id = target AND (s.labor_total, s.material_total, s.other_total, s.discount_total) IS DISTINCT FROM (
            SELECT COALESCE(sum(r.amount) FILTER (WHERE r.kind = 'LABOR'), 0),
                   COALESCE(sum(r.amount) FILTER (WHERE r.kind = 'MATERIAL'), 0),
                   COALESCE(sum(r.amount) FILTER (WHERE r.kind = 'OTHER'), 0),
                   COALESCE(sum(r.amount) FILTER (WHERE r.kind = 'DISCOUNT'), 0)
            FROM delivery_settlementline r WHERE r.settlement_id = s.id)
    ) THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'settlement_adds_up',
            TABLE = TG_TABLE_NAME, MESSAGE = 'settlement_adds_up';
    END IF;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION delivery_settlement_adds_up() IS '4.1: the rows of a list add up to its totals when the command ends';
CREATE CONSTRAINT TRIGGER settlement_adds_up AFTER INSERT ON delivery_settlement
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION delivery_settlement_adds_up();
CREATE CONSTRAINT TRIGGER settlement_adds_up AFTER INSERT ON delivery_settlementline
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION delivery_settlement_adds_up();
"""
BACK = """
DROP TRIGGER settlement_adds_up ON delivery_settlementline;
DROP TRIGGER settlement_adds_up ON delivery_settlement;
DROP FUNCTION delivery_settlement_adds_up();
DROP TRIGGER orderline_released_by_void ON workshop_orderline;
DROP FUNCTION delivery_line_released_by_void();
"""


class Migration(migrations.Migration):
    dependencies = [("delivery", "0002_exit_rules"), ("workshop", "0003_void_opens_lines")]
    operations = [migrations.RunSQL(FORWARD, BACK)]
