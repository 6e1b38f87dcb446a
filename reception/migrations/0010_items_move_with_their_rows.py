"""What an item shows of other rows moves its version and its time of change (states.ShownIn)."""

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("reception", "0009_mail"),
    ]

    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name="customer",
            name="customer_merged_is_final",
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="appointmentitem",
            trigger=pgtrigger.compiler.Trigger(
                name="shown_in_appointment",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n            IF TG_OP = 'UPDATE' AND NEW *= OLD THEN RETURN NULL; END IF;\n            UPDATE reception_appointment SET version = version WHERE id IN (\n                SELECT id FROM reception_appointment WHERE id IN (NEW.appointment_id, OLD.appointment_id) AND xmin <> pg_current_xact_id()::xid\n                ORDER BY id FOR NO KEY UPDATE);\n            RETURN NULL;\n        ",
                    hash="a91be3a7c25acb4f0baba38a6ad09e62531f2ae5",
                    operation="INSERT OR UPDATE OR DELETE",
                    pgid="pgtrigger_shown_in_appointment_c5360",
                    table="reception_appointmentitem",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="consent",
            trigger=pgtrigger.compiler.Trigger(
                name="shown_in_customer",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n            IF TG_OP = 'UPDATE' AND NEW *= OLD THEN RETURN NULL; END IF;\n            UPDATE reception_customer SET version = version WHERE id IN (\n                SELECT id FROM reception_customer WHERE id IN (NEW.customer_id, OLD.customer_id) AND xmin <> pg_current_xact_id()::xid\n                ORDER BY id FOR NO KEY UPDATE);\n            RETURN NULL;\n        ",
                    hash="782ee15f79c975c354ba69f2866b712578cc4b78",
                    operation="INSERT OR UPDATE OR DELETE",
                    pgid="pgtrigger_shown_in_customer_f4163",
                    table="reception_consent",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="consultationclock",
            trigger=pgtrigger.compiler.Trigger(
                name="shown_in_consultation",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n            IF TG_OP = 'UPDATE' AND NEW *= OLD THEN RETURN NULL; END IF;\n            UPDATE reception_consultation SET version = version WHERE id IN (\n                SELECT id FROM reception_consultation WHERE id IN (NEW.consultation_id, OLD.consultation_id) AND xmin <> pg_current_xact_id()::xid\n                ORDER BY id FOR NO KEY UPDATE);\n            RETURN NULL;\n        ",
                    hash="172a3d42e01664c74c2fe08be8c549a91a226af8",
                    operation="INSERT OR UPDATE OR DELETE",
                    pgid="pgtrigger_shown_in_consultation_61474",
                    table="reception_consultationclock",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="consultationmessage",
            trigger=pgtrigger.compiler.Trigger(
                name="shown_in_consultation",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n            IF TG_OP = 'UPDATE' AND NEW *= OLD THEN RETURN NULL; END IF;\n            UPDATE reception_consultation SET version = version WHERE id IN (\n                SELECT id FROM reception_consultation WHERE id IN (NEW.consultation_id, OLD.consultation_id) AND xmin <> pg_current_xact_id()::xid\n                ORDER BY id FOR NO KEY UPDATE);\n            RETURN NULL;\n        ",
                    hash="bbb27139de742d4a0f31b6ae7692b4b79dc3aeeb",
                    operation="INSERT OR UPDATE OR DELETE",
                    pgid="pgtrigger_shown_in_consultation_2e05c",
                    table="reception_consultationmessage",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="customer",
            trigger=pgtrigger.compiler.Trigger(
                name="customer_merged_is_final",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.merged_into_id IS NOT NULL)",
                    func="IF TG_OP = 'UPDATE' AND NEW *= OLD THEN RETURN NEW; END IF; \n                    IF TG_OP = 'DELETE' OR NEW.merged_into_id IS NOT DISTINCT FROM OLD.merged_into_id THEN RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'customer_merged_is_final', TABLE = TG_TABLE_NAME, MESSAGE = 'customer_merged_is_final'; END IF;\n                    RETURN NEW;\n                ",
                    hash="2c38932d7c476befea998934046d6b00bfdcb3ea",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_customer_merged_is_final_2085e",
                    table="reception_customer",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="damagemark",
            trigger=pgtrigger.compiler.Trigger(
                name="shown_in_walkaround__visit",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n            IF TG_OP = 'UPDATE' AND NEW *= OLD THEN RETURN NULL; END IF;\n            UPDATE reception_visit SET version = version WHERE id IN (\n                SELECT id FROM reception_visit WHERE id IN (SELECT visit_id FROM reception_walkaround WHERE id IN (NEW.walkaround_id, OLD.walkaround_id)) AND xmin <> pg_current_xact_id()::xid\n                ORDER BY id FOR NO KEY UPDATE);\n            RETURN NULL;\n        ",
                    hash="6beb71bf8571cc350fc5987fb7604927cb04c385",
                    operation="INSERT OR UPDATE OR DELETE",
                    pgid="pgtrigger_shown_in_walkaround__visit_a5453",
                    table="reception_damagemark",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="ownership",
            trigger=pgtrigger.compiler.Trigger(
                name="shown_in_vehicle",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n            IF TG_OP = 'UPDATE' AND NEW *= OLD THEN RETURN NULL; END IF;\n            UPDATE reception_vehicle SET version = version WHERE id IN (\n                SELECT id FROM reception_vehicle WHERE id IN (NEW.vehicle_id, OLD.vehicle_id) AND xmin <> pg_current_xact_id()::xid\n                ORDER BY id FOR NO KEY UPDATE);\n            RETURN NULL;\n        ",
                    hash="88a407b2458b2011cff99159942afcd10906f565",
                    operation="INSERT OR UPDATE OR DELETE",
                    pgid="pgtrigger_shown_in_vehicle_5b4e6",
                    table="reception_ownership",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="vehicle",
            trigger=pgtrigger.compiler.Trigger(
                name="shown_in_visit",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n            IF TG_OP = 'UPDATE' AND ROW(OLD.plate) IS NOT DISTINCT FROM ROW(NEW.plate) THEN RETURN NULL; END IF;\n            UPDATE reception_visit SET version = version WHERE id IN (\n                SELECT id FROM reception_visit WHERE id IN (SELECT id FROM reception_visit WHERE vehicle_id = NEW.id) AND xmin <> pg_current_xact_id()::xid\n                ORDER BY id FOR NO KEY UPDATE);\n            RETURN NULL;\n        ",
                    hash="2439424c707419d119a77a3332b406453cd4dc08",
                    operation='UPDATE OF "plate"',
                    pgid="pgtrigger_shown_in_visit_9079f",
                    table="reception_vehicle",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="visitphoto",
            trigger=pgtrigger.compiler.Trigger(
                name="shown_in_visit",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n            IF TG_OP = 'UPDATE' AND NEW *= OLD THEN RETURN NULL; END IF;\n            UPDATE reception_visit SET version = version WHERE id IN (\n                SELECT id FROM reception_visit WHERE id IN (NEW.visit_id, OLD.visit_id) AND xmin <> pg_current_xact_id()::xid\n                ORDER BY id FOR NO KEY UPDATE);\n            RETURN NULL;\n        ",
                    hash="f0e34571620818429dd94f8e7f67b3f18bacd809",
                    operation="INSERT OR UPDATE OR DELETE",
                    pgid="pgtrigger_shown_in_visit_68b93",
                    table="reception_visitphoto",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="walkaround",
            trigger=pgtrigger.compiler.Trigger(
                name="shown_in_visit",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n            IF TG_OP = 'UPDATE' AND NEW *= OLD THEN RETURN NULL; END IF;\n            UPDATE reception_visit SET version = version WHERE id IN (\n                SELECT id FROM reception_visit WHERE id IN (NEW.visit_id, OLD.visit_id) AND xmin <> pg_current_xact_id()::xid\n                ORDER BY id FOR NO KEY UPDATE);\n            RETURN NULL;\n        ",
                    hash="bd7586bb3b3da3e414c5694f10d6e452eb1dc7f4",
                    operation="INSERT OR UPDATE OR DELETE",
                    pgid="pgtrigger_shown_in_visit_2b97a",
                    table="reception_walkaround",
                    when="AFTER",
                ),
            ),
        ),
    ]
