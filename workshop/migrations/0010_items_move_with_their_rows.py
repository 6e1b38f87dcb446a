"""What an item shows of other rows moves its version and its time of change (states.ShownIn)."""

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations

# Part lines and shelves show the part's name; catalogue lies below and can't name them itself (states.ShownIn).
PART_NAME = """
CREATE FUNCTION workshop_part_name_is_shown() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.name IS NOT DISTINCT FROM OLD.name THEN RETURN NULL; END IF;
    UPDATE workshop_partline SET version = version WHERE id IN (
        SELECT id FROM workshop_partline WHERE part_id = NEW.id ORDER BY id FOR NO KEY UPDATE);
    UPDATE workshop_stockitem SET version = version WHERE id IN (
        SELECT id FROM workshop_stockitem WHERE part_id = NEW.id ORDER BY id FOR NO KEY UPDATE);
    RETURN NULL;
END $$;
CREATE TRIGGER part_name_is_shown AFTER UPDATE OF name ON catalogue_part
    FOR EACH ROW EXECUTE FUNCTION workshop_part_name_is_shown();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("workshop", "0009_fees_and_reasons"),
    ]

    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name="partline",
            name="partline_settled_is_final",
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="orderline",
            trigger=pgtrigger.compiler.Trigger(
                name="orderline_order_fixed",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="IF ROW(OLD.order_id) IS DISTINCT FROM ROW(NEW.order_id) THEN RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'orderline_order_fixed', TABLE = TG_TABLE_NAME, MESSAGE = 'orderline_order_fixed'; END IF; RETURN NEW;",
                    hash="d883162baef35d7aadae876283f68e6a6d771ffe",
                    operation='UPDATE OF "order_id"',
                    pgid="pgtrigger_orderline_order_fixed_8fe5e",
                    table="workshop_orderline",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="partline",
            trigger=pgtrigger.compiler.Trigger(
                name="partline_settled_is_final",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    declare="DECLARE done boolean;",
                    func="IF TG_OP = 'UPDATE' AND NEW *= OLD THEN RETURN NEW; END IF; \n                    SELECT settled INTO done FROM workshop_orderline\n                    WHERE id = COALESCE(NEW.line_id, OLD.line_id) FOR SHARE;\n                    IF done THEN RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'partline_settled_is_final', TABLE = TG_TABLE_NAME, MESSAGE = 'partline_settled_is_final'; END IF;\n                    RETURN COALESCE(NEW, OLD);\n                ",
                    hash="3e57b1d309b71351f34fa7c76497a55e76d564a7",
                    operation="INSERT OR UPDATE OR DELETE",
                    pgid="pgtrigger_partline_settled_is_final_08a10",
                    table="workshop_partline",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="repairorder",
            trigger=pgtrigger.compiler.Trigger(
                name="repairorder_visit_fixed",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="IF ROW(OLD.visit_id) IS DISTINCT FROM ROW(NEW.visit_id) THEN RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'repairorder_visit_fixed', TABLE = TG_TABLE_NAME, MESSAGE = 'repairorder_visit_fixed'; END IF; RETURN NEW;",
                    hash="e3575350c6e536575ec30f8429ac78cb9cb90b86",
                    operation='UPDATE OF "visit_id"',
                    pgid="pgtrigger_repairorder_visit_fixed_b89b1",
                    table="workshop_repairorder",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="stockitem",
            trigger=pgtrigger.compiler.Trigger(
                name="stockitem_part_fixed",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="IF ROW(OLD.part_id) IS DISTINCT FROM ROW(NEW.part_id) THEN RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'stockitem_part_fixed', TABLE = TG_TABLE_NAME, MESSAGE = 'stockitem_part_fixed'; END IF; RETURN NEW;",
                    hash="140c1db8cc8b5de373daafe79ac6ca773fffbfdc",
                    operation='UPDATE OF "part_id"',
                    pgid="pgtrigger_stockitem_part_fixed_4ab2b",
                    table="workshop_stockitem",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.RunSQL(PART_NAME, "DROP FUNCTION workshop_part_name_is_shown() CASCADE"),
    ]
