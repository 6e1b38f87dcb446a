"""What an item shows of other rows moves its version and its time of change (states.ShownIn)."""

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("catalogue", "0002_labels"),
    ]

    operations = [
        pgtrigger.migrations.AddTrigger(
            model_name="operationpart",
            trigger=pgtrigger.compiler.Trigger(
                name="shown_in_operation",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n            IF TG_OP = 'UPDATE' AND NEW *= OLD THEN RETURN NULL; END IF;\n            UPDATE catalogue_operation SET version = version WHERE id IN (\n                SELECT id FROM catalogue_operation WHERE id IN (NEW.operation_id, OLD.operation_id) AND xmin <> pg_current_xact_id()::xid\n                ORDER BY id FOR NO KEY UPDATE);\n            RETURN NULL;\n        ",
                    hash="695b16a640fa1d46a3df50dd62b37571809293a9",
                    operation="INSERT OR UPDATE OR DELETE",
                    pgid="pgtrigger_shown_in_operation_8d49f",
                    table="catalogue_operationpart",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="part",
            trigger=pgtrigger.compiler.Trigger(
                name="part_number_fixed",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="IF ROW(OLD.number) IS DISTINCT FROM ROW(NEW.number) THEN RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'part_number_fixed', TABLE = TG_TABLE_NAME, MESSAGE = 'part_number_fixed'; END IF; RETURN NEW;",
                    hash="791c4243d387cfc75b3fcf31c02672c957b7a0c6",
                    operation='UPDATE OF "number"',
                    pgid="pgtrigger_part_number_fixed_144f5",
                    table="catalogue_part",
                    when="BEFORE",
                ),
            ),
        ),
    ]
