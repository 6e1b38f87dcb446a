"""What a shift is known by in checklists never changes (states.fixed)."""

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("staff", "0004_desk_training"),
    ]

    operations = [
        pgtrigger.migrations.AddTrigger(
            model_name="shift",
            trigger=pgtrigger.compiler.Trigger(
                name="shift_code_fixed",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="IF ROW(OLD.code) IS DISTINCT FROM ROW(NEW.code) THEN RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'shift_code_fixed', TABLE = TG_TABLE_NAME, MESSAGE = 'shift_code_fixed'; END IF; RETURN NEW;",
                    hash="47232f4dbb1e5cd06dd99921a732b2b52ea481e2",
                    operation='UPDATE OF "code"',
                    pgid="pgtrigger_shift_code_fixed_fa438",
                    table="staff_shift",
                    when="BEFORE",
                ),
            ),
        ),
    ]
