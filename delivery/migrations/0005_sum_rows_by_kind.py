"""Compares the four totals of a list with its rows one by one (4.1)."""

from django.db import migrations

FORWARD = """
CREATE OR REPLACE FUNCTION delivery_settlement_adds_up() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    target bigint;
BEGIN
    IF TG_TABLE_NAME = 'delivery_settlement' THEN target := NEW.id; ELSE target := NEW.settlement_id; END IF;
    IF EXISTS (
        SELECT 1 FROM delivery_settlement s CROSS JOIN LATERAL (
            SELECT COALESCE(sum(r.amount) FILTER (WHERE r.kind = 'LABOR'), 0) AS labor,
                   COALESCE(sum(r.amount) FILTER (WHERE r.kind = 'MATERIAL'), 0) AS material,
                   COALESCE(sum(r.amount) FILTER (WHERE r.kind = 'OTHER'), 0) AS other,
                   COALESCE(sum(r.amount) FILTER (WHERE r.kind = 'DISCOUNT'), 0) AS discount
            FROM delivery_settlementline r WHERE r.settlement_id = s.id) rows
        WHERE s.id = target AND (s.labor_total <> rows.labor OR s.material_total <> rows.material
            OR s.other_total <> rows.other OR s.discount_total <> rows.discount)
    ) THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'settlement_adds_up',
            TABLE = TG_TABLE_NAME, MESSAGE = 'settlement_adds_up';
    END IF;
    RETURN NULL;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("delivery", "0004_untouched_lines_owe_nothing")]
    operations = [migrations.RunSQL(FORWARD, migrations.RunSQL.noop)]
