"""What an item shows of other rows moves its version and its time of change (states.ShownIn)."""

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("delivery", "0008_gate_codes_to_be_read"),
    ]

    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name="deposit",
            name="deposit_append_only",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="payment",
            name="payment_append_only",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="settlement",
            name="settlement_signed_is_final",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="survey",
            name="survey_answered_once",
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="deposit",
            trigger=pgtrigger.compiler.Trigger(
                name="deposit_append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="IF TG_OP = 'UPDATE' AND NEW *= OLD THEN RETURN NEW; END IF; RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'deposit_append_only', TABLE = TG_TABLE_NAME, MESSAGE = 'deposit_append_only';",
                    hash="766dccb0b9b7f2641ff2ae0e62c7135ef984c96b",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_deposit_append_only_bf412",
                    table="delivery_deposit",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="followupattempt",
            trigger=pgtrigger.compiler.Trigger(
                name="shown_in_follow_up",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n            IF TG_OP = 'UPDATE' AND NEW *= OLD THEN RETURN NULL; END IF;\n            UPDATE delivery_followup SET version = version WHERE id IN (\n                SELECT id FROM delivery_followup WHERE id IN (NEW.follow_up_id, OLD.follow_up_id) AND xmin <> pg_current_xact_id()::xid\n                ORDER BY id FOR NO KEY UPDATE);\n            RETURN NULL;\n        ",
                    hash="f1beb0bb9ff4d55c30dc076081a6aeb63517d72b",
                    operation="INSERT OR UPDATE OR DELETE",
                    pgid="pgtrigger_shown_in_follow_up_25ddf",
                    table="delivery_followupattempt",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="payment",
            trigger=pgtrigger.compiler.Trigger(
                name="payment_append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="IF TG_OP = 'UPDATE' AND NEW *= OLD THEN RETURN NEW; END IF; RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'payment_append_only', TABLE = TG_TABLE_NAME, MESSAGE = 'payment_append_only';",
                    hash="f84cd7361a663aba0895d5eff6e27dd1a008a0f9",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_payment_append_only_cf4b4",
                    table="delivery_payment",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="settlement",
            trigger=pgtrigger.compiler.Trigger(
                name="settlement_signed_is_final",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.state <> 'ISSUED')",
                    func="IF TG_OP = 'UPDATE' AND NEW *= OLD THEN RETURN NEW; END IF; RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'settlement_signed_is_final', TABLE = TG_TABLE_NAME, MESSAGE = 'settlement_signed_is_final';",
                    hash="fc919733705915a24d76416a693941bdad8f484e",
                    operation="UPDATE",
                    pgid="pgtrigger_settlement_signed_is_final_9a6e9",
                    table="delivery_settlement",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="settlementline",
            trigger=pgtrigger.compiler.Trigger(
                name="shown_in_settlement",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n            IF TG_OP = 'UPDATE' AND NEW *= OLD THEN RETURN NULL; END IF;\n            UPDATE delivery_settlement SET version = version WHERE id IN (\n                SELECT id FROM delivery_settlement WHERE id IN (NEW.settlement_id, OLD.settlement_id) AND xmin <> pg_current_xact_id()::xid\n                ORDER BY id FOR NO KEY UPDATE);\n            RETURN NULL;\n        ",
                    hash="189c1f8b7b6531e1ef5701d957d529e724585679",
                    operation="INSERT OR UPDATE OR DELETE",
                    pgid="pgtrigger_shown_in_settlement_34957",
                    table="delivery_settlementline",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="survey",
            trigger=pgtrigger.compiler.Trigger(
                name="survey_answered_once",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.answered_at IS NOT NULL)",
                    func="IF TG_OP = 'UPDATE' AND NEW *= OLD THEN RETURN NEW; END IF; RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'survey_answered_once', TABLE = TG_TABLE_NAME, MESSAGE = 'survey_answered_once';",
                    hash="3f75ccd35944a4c1cbc325881242a5d708ef9450",
                    operation="UPDATE",
                    pgid="pgtrigger_survey_answered_once_4d2f4",
                    table="delivery_survey",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="surveyanswer",
            trigger=pgtrigger.compiler.Trigger(
                name="shown_in_survey",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n            IF TG_OP = 'UPDATE' AND NEW *= OLD THEN RETURN NULL; END IF;\n            UPDATE delivery_survey SET version = version WHERE id IN (\n                SELECT id FROM delivery_survey WHERE id IN (NEW.survey_id, OLD.survey_id) AND xmin <> pg_current_xact_id()::xid\n                ORDER BY id FOR NO KEY UPDATE);\n            RETURN NULL;\n        ",
                    hash="bf4de38928c6e5073bed4d92cb177ae852db64b4",
                    operation="INSERT OR UPDATE OR DELETE",
                    pgid="pgtrigger_shown_in_survey_8eacc",
                    table="delivery_surveyanswer",
                    when="AFTER",
                ),
            ),
        ),
    ]
