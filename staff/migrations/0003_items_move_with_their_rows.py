"""What an item shows of other rows moves its version and its time of change (states.ShownIn)."""

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("staff", "0002_deputies_apart"),
    ]

    operations = [
        pgtrigger.migrations.AddTrigger(
            model_name="department",
            trigger=pgtrigger.compiler.Trigger(
                name="department_code_fixed",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="IF ROW(OLD.code) IS DISTINCT FROM ROW(NEW.code) THEN RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'department_code_fixed', TABLE = TG_TABLE_NAME, MESSAGE = 'department_code_fixed'; END IF; RETURN NEW;",
                    hash="5d5e704678ef29b4a72a929869576fc87aeb2043",
                    operation='UPDATE OF "code"',
                    pgid="pgtrigger_department_code_fixed_b73ef",
                    table="staff_department",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="employeeskill",
            trigger=pgtrigger.compiler.Trigger(
                name="shown_in_employee",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n            IF TG_OP = 'UPDATE' AND NEW *= OLD THEN RETURN NULL; END IF;\n            UPDATE staff_employee SET version = version WHERE id IN (\n                SELECT id FROM staff_employee WHERE id IN (NEW.employee_id, OLD.employee_id) AND xmin <> pg_current_xact_id()::xid\n                ORDER BY id FOR NO KEY UPDATE);\n            RETURN NULL;\n        ",
                    hash="d96d47bb5f4c7c5f750fc248f36ab2d98b2a7b48",
                    operation="INSERT OR UPDATE OR DELETE",
                    pgid="pgtrigger_shown_in_employee_e3c25",
                    table="staff_employeeskill",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="post",
            trigger=pgtrigger.compiler.Trigger(
                name="post_code_fixed",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="IF ROW(OLD.code) IS DISTINCT FROM ROW(NEW.code) THEN RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'post_code_fixed', TABLE = TG_TABLE_NAME, MESSAGE = 'post_code_fixed'; END IF; RETURN NEW;",
                    hash="a38ee56f00ed90e037face7994593689efa0c41d",
                    operation='UPDATE OF "code"',
                    pgid="pgtrigger_post_code_fixed_c9849",
                    table="staff_post",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="post",
            trigger=pgtrigger.compiler.Trigger(
                name="shown_in_postholding",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n            IF TG_OP = 'UPDATE' AND ROW(OLD.role) IS NOT DISTINCT FROM ROW(NEW.role) THEN RETURN NULL; END IF;\n            UPDATE staff_postholding SET version = version WHERE id IN (\n                SELECT id FROM staff_postholding WHERE id IN (SELECT id FROM staff_postholding WHERE post_id = NEW.id) AND xmin <> pg_current_xact_id()::xid\n                ORDER BY id FOR NO KEY UPDATE);\n            RETURN NULL;\n        ",
                    hash="6b9e35ae3dfa12db95193f1149d304c0cbe95e31",
                    operation='UPDATE OF "role"',
                    pgid="pgtrigger_shown_in_postholding_e3788",
                    table="staff_post",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="postholding",
            trigger=pgtrigger.compiler.Trigger(
                name="shown_in_employee",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n            IF TG_OP = 'UPDATE' AND NEW *= OLD THEN RETURN NULL; END IF;\n            UPDATE staff_employee SET version = version WHERE id IN (\n                SELECT id FROM staff_employee WHERE id IN (NEW.employee_id, OLD.employee_id) AND xmin <> pg_current_xact_id()::xid\n                ORDER BY id FOR NO KEY UPDATE);\n            RETURN NULL;\n        ",
                    hash="9ef59cdbb9782e3024712a9caf603f0069eb8a65",
                    operation="INSERT OR UPDATE OR DELETE",
                    pgid="pgtrigger_shown_in_employee_775b4",
                    table="staff_postholding",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="skill",
            trigger=pgtrigger.compiler.Trigger(
                name="skill_code_fixed",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="IF ROW(OLD.code) IS DISTINCT FROM ROW(NEW.code) THEN RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'skill_code_fixed', TABLE = TG_TABLE_NAME, MESSAGE = 'skill_code_fixed'; END IF; RETURN NEW;",
                    hash="33648eabd6a6bcfd1dfc41486aa7adca9101ab9a",
                    operation='UPDATE OF "code"',
                    pgid="pgtrigger_skill_code_fixed_690cc",
                    table="staff_skill",
                    when="BEFORE",
                ),
            ),
        ),
    ]
