"""What an item shows of other rows moves its version and its time of change (states.ShownIn)."""

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("kernel", "0005_public_days"),
    ]

    operations = [
        pgtrigger.migrations.AddTrigger(
            model_name="store",
            trigger=pgtrigger.compiler.Trigger(
                name="store_code_fixed",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="IF ROW(OLD.code) IS DISTINCT FROM ROW(NEW.code) THEN RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'store_code_fixed', TABLE = TG_TABLE_NAME, MESSAGE = 'store_code_fixed'; END IF; RETURN NEW;",
                    hash="951673961e9d360400dc96b7ec8dc4dc156874ca",
                    operation='UPDATE OF "code"',
                    pgid="pgtrigger_store_code_fixed_620ec",
                    table="kernel_store",
                    when="BEFORE",
                ),
            ),
        ),
    ]
