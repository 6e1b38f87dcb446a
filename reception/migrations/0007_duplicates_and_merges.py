"""Customers who may be one, merging them with a record of every moved row (2.3)."""

import uuid

import django.contrib.postgres.fields
import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models

import dealership.kernel.clock


class Migration(migrations.Migration):
    dependencies = [
        ("reception", "0006_customer_contact"),
    ]

    operations = [
        migrations.CreateModel(
            name="CustomerMerge",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("uid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
                ("created_at", models.DateTimeField(default=dealership.kernel.clock.now, editable=False)),
                ("updated_at", models.DateTimeField(default=dealership.kernel.clock.written_now, editable=False)),
                (
                    "state",
                    models.CharField(choices=[("DONE", "Merged"), ("UNDONE", "Undone")], default="DONE", max_length=6),
                ),
                (
                    "before",
                    models.JSONField(help_text="the kept customer's columns that the merge changed, as they were"),
                ),
                ("after", models.JSONField(help_text="the same columns as the merge wrote them")),
                ("rows", models.PositiveIntegerField(default=0)),
                ("merged_at", models.DateTimeField(default=dealership.kernel.clock.now)),
                ("undone_at", models.DateTimeField(blank=True, null=True)),
            ],
        ),
        migrations.CreateModel(
            name="Duplicate",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("uid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
                ("created_at", models.DateTimeField(default=dealership.kernel.clock.now, editable=False)),
                ("updated_at", models.DateTimeField(default=dealership.kernel.clock.written_now, editable=False)),
                (
                    "cues",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(
                            choices=[
                                ("PHONE", "Same telephone number"),
                                ("VIN", "Same car by VIN, and the names sound alike"),
                                ("NAME_PLATE", "Same name and plate"),
                                ("USCC", "Same company code"),
                            ],
                            max_length=12,
                        ),
                        size=None,
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("OPEN", "To be looked at"),
                            ("DIFFERENT", "Two different customers"),
                            ("MERGED", "Merged"),
                        ],
                        default="OPEN",
                        max_length=10,
                    ),
                ),
                ("decided_at", models.DateTimeField(blank=True, null=True)),
            ],
        ),
        migrations.CreateModel(
            name="MovedRow",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("label", models.CharField(max_length=60)),
                ("field", models.CharField(max_length=30)),
                ("row_id", models.BigIntegerField()),
            ],
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="consent",
            name="consent_append_only",
        ),
        migrations.AddField(
            model_name="customer",
            name="merged_into",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="merged",
                to="reception.customer",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="appointment",
            trigger=pgtrigger.compiler.Trigger(
                name="appointment_standing_customer",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    declare="DECLARE target bigint;",
                    func="\n            IF TG_OP = 'UPDATE' AND NEW.customer_id = OLD.customer_id THEN RETURN NEW; END IF;\n            SELECT merged_into_id INTO target FROM reception_customer WHERE id = NEW.customer_id FOR SHARE;\n            IF target IS NOT NULL THEN RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'appointment_standing_customer', TABLE = TG_TABLE_NAME, MESSAGE = 'appointment_standing_customer'; END IF;\n            RETURN NEW;\n        ",
                    hash="ee1def4a2fdaab8fe2a06c2a10a7eff3ffb1adae",
                    operation='INSERT OR UPDATE OF "customer_id"',
                    pgid="pgtrigger_appointment_standing_customer_5c796",
                    table="reception_appointment",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="consent",
            trigger=pgtrigger.compiler.Trigger(
                name="consent_append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n                    IF TG_OP = 'DELETE'\n                        OR (OLD.id, OLD.uid, OLD.purpose, OLD.given, OLD.text_version, OLD.channel, OLD.at)\n                        IS DISTINCT FROM\n                        (NEW.id, NEW.uid, NEW.purpose, NEW.given, NEW.text_version, NEW.channel, NEW.at)\n                        OR NOT EXISTS (SELECT 1 FROM reception_movedrow r JOIN reception_customermerge m ON m.id = r.merge_id\n                            WHERE r.label = 'reception.consent' AND r.row_id = OLD.id AND (\n                                (m.state = 'DONE' AND m.merged_id = OLD.customer_id AND m.kept_id = NEW.customer_id) OR\n                                (m.state = 'UNDONE' AND m.kept_id = OLD.customer_id AND m.merged_id = NEW.customer_id)))\n                    THEN RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'consent_append_only', TABLE = TG_TABLE_NAME, MESSAGE = 'consent_append_only'; END IF;\n                    RETURN NEW;\n                ",
                    hash="8a06d95228a0e1e1f4931ea8769abb747b784385",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_consent_append_only_1101c",
                    table="reception_consent",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="consent",
            trigger=pgtrigger.compiler.Trigger(
                name="consent_standing_customer",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    declare="DECLARE target bigint;",
                    func="\n            IF TG_OP = 'UPDATE' AND NEW.customer_id = OLD.customer_id THEN RETURN NEW; END IF;\n            SELECT merged_into_id INTO target FROM reception_customer WHERE id = NEW.customer_id FOR SHARE;\n            IF target IS NOT NULL THEN RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'consent_standing_customer', TABLE = TG_TABLE_NAME, MESSAGE = 'consent_standing_customer'; END IF;\n            RETURN NEW;\n        ",
                    hash="0d138a007ee318b9cf776ce177005539539905d7",
                    operation='INSERT OR UPDATE OF "customer_id"',
                    pgid="pgtrigger_consent_standing_customer_a1c5f",
                    table="reception_consent",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="customer",
            trigger=pgtrigger.compiler.Trigger(
                name="customer_merged_is_final",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.merged_into_id IS NOT NULL)",
                    func="\n                    IF TG_OP = 'DELETE' OR NEW.merged_into_id IS NOT DISTINCT FROM OLD.merged_into_id THEN RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'customer_merged_is_final', TABLE = TG_TABLE_NAME, MESSAGE = 'customer_merged_is_final'; END IF;\n                    RETURN NEW;\n                ",
                    hash="644276e570e8bdaa43f32f54a8d426b553a29d9b",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_customer_merged_is_final_2085e",
                    table="reception_customer",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="customer",
            trigger=pgtrigger.compiler.Trigger(
                name="customer_merge_recorded",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n                    IF TG_OP = 'INSERT' THEN\n                        IF NEW.merged_into_id IS NOT NULL THEN RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'customer_merge_recorded', TABLE = TG_TABLE_NAME, MESSAGE = 'customer_merge_recorded'; END IF;\n                    ELSIF NEW.merged_into_id IS NULL THEN\n                        IF EXISTS (SELECT 1 FROM reception_customermerge m\n                            WHERE m.merged_id = NEW.id AND m.state = 'DONE') THEN RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'customer_merge_recorded', TABLE = TG_TABLE_NAME, MESSAGE = 'customer_merge_recorded'; END IF;\n                    ELSIF NEW.merged_into_id IS DISTINCT FROM OLD.merged_into_id THEN\n                        IF NEW.merged_into_id = NEW.id\n                            OR EXISTS (SELECT 1 FROM reception_customer c\n                                WHERE c.id = NEW.merged_into_id AND c.merged_into_id IS NOT NULL)\n                            OR NOT EXISTS (SELECT 1 FROM reception_customermerge m\n                                WHERE m.merged_id = NEW.id AND m.state = 'DONE')\n                        THEN RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'customer_merge_recorded', TABLE = TG_TABLE_NAME, MESSAGE = 'customer_merge_recorded'; END IF;\n                    END IF;\n                    RETURN NEW;\n                ",
                    hash="b4c477a6f5e73d9edd06b103f9348adff950de50",
                    operation='INSERT OR UPDATE OF "merged_into_id"',
                    pgid="pgtrigger_customer_merge_recorded_8589d",
                    table="reception_customer",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="ownership",
            trigger=pgtrigger.compiler.Trigger(
                name="ownership_standing_customer",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    declare="DECLARE target bigint;",
                    func="\n            IF TG_OP = 'UPDATE' AND NEW.customer_id = OLD.customer_id THEN RETURN NEW; END IF;\n            SELECT merged_into_id INTO target FROM reception_customer WHERE id = NEW.customer_id FOR SHARE;\n            IF target IS NOT NULL THEN RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'ownership_standing_customer', TABLE = TG_TABLE_NAME, MESSAGE = 'ownership_standing_customer'; END IF;\n            RETURN NEW;\n        ",
                    hash="03a31d564da5414aed03fbf915853cb1d2273038",
                    operation='INSERT OR UPDATE OF "customer_id"',
                    pgid="pgtrigger_ownership_standing_customer_90cb9",
                    table="reception_ownership",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="visit",
            trigger=pgtrigger.compiler.Trigger(
                name="visit_standing_customer",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    declare="DECLARE target bigint;",
                    func="\n            IF TG_OP = 'UPDATE' AND NEW.customer_id = OLD.customer_id THEN RETURN NEW; END IF;\n            SELECT merged_into_id INTO target FROM reception_customer WHERE id = NEW.customer_id FOR SHARE;\n            IF target IS NOT NULL THEN RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'visit_standing_customer', TABLE = TG_TABLE_NAME, MESSAGE = 'visit_standing_customer'; END IF;\n            RETURN NEW;\n        ",
                    hash="991fc965f7f30c058e0c838bedc90f3e27c0ea8b",
                    operation='INSERT OR UPDATE OF "customer_id"',
                    pgid="pgtrigger_visit_standing_customer_e729a",
                    table="reception_visit",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.AddField(
            model_name="customermerge",
            name="kept",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="reception.customer"
            ),
        ),
        migrations.AddField(
            model_name="customermerge",
            name="merged",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="reception.customer"
            ),
        ),
        migrations.AddField(
            model_name="duplicate",
            name="first",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="reception.customer"
            ),
        ),
        migrations.AddField(
            model_name="duplicate",
            name="second",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="reception.customer"
            ),
        ),
        migrations.AddField(
            model_name="movedrow",
            name="merge",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="moved", to="reception.customermerge"
            ),
        ),
        migrations.AddIndex(
            model_name="customermerge",
            index=models.Index(fields=["kept", "-id"], name="customermerge_kept"),
        ),
        migrations.AddConstraint(
            model_name="customermerge",
            constraint=models.CheckConstraint(
                condition=models.Q(("kept", models.F("merged")), _negated=True), name="customermerge_two"
            ),
        ),
        migrations.AddConstraint(
            model_name="customermerge",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "DONE")), fields=("merged",), name="customermerge_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="customermerge",
            constraint=models.CheckConstraint(
                condition=models.Q(("state", "DONE"), ("undone_at__isnull", False), _connector="OR"),
                name="customermerge_undone_at",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="customermerge",
            trigger=pgtrigger.compiler.Trigger(
                name="versioned",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="NEW.version := OLD.version + 1; NEW.updated_at := clock_timestamp(); RETURN NEW;",
                    hash="4cd760284c99726189f40481058510e4e3ca5f69",
                    operation="UPDATE",
                    pgid="pgtrigger_versioned_1f779",
                    table="reception_customermerge",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="customermerge",
            trigger=pgtrigger.compiler.Trigger(
                name="customermerge_moves",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n            IF TG_OP = 'INSERT' THEN\n                IF NEW.state NOT IN ('DONE') THEN\n                    RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'customermerge_moves', TABLE = TG_TABLE_NAME, MESSAGE = 'customermerge_moves' || ': ' || 'born as ' || NEW.state;\n                END IF;\n            ELSIF NEW.state IS DISTINCT FROM OLD.state AND NOT ((OLD.state = 'DONE' AND NEW.state IN ('UNDONE'))) THEN\n                RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'customermerge_moves', TABLE = TG_TABLE_NAME, MESSAGE = 'customermerge_moves' || ': ' || OLD.state || ' -> ' || NEW.state;\n            END IF;\n            RETURN NEW;\n        ",
                    hash="fe887c145798e8b52209dd833ef51b1538207753",
                    operation='INSERT OR UPDATE OF "state"',
                    pgid="pgtrigger_customermerge_moves_fc6be",
                    table="reception_customermerge",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="customermerge",
            trigger=pgtrigger.compiler.Trigger(
                name="customermerge_fixed",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n                    IF TG_OP = 'DELETE' OR (OLD.kept_id, OLD.merged_id, OLD.before, OLD.after, OLD.rows, OLD.merged_at)\n                        IS DISTINCT FROM (NEW.kept_id, NEW.merged_id, NEW.before, NEW.after, NEW.rows, NEW.merged_at)\n                    THEN RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'customermerge_fixed', TABLE = TG_TABLE_NAME, MESSAGE = 'customermerge_fixed'; END IF;\n                    RETURN NEW;\n                ",
                    hash="98374911613d03a580885420dc574f98aca062c7",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_customermerge_fixed_8a6e0",
                    table="reception_customermerge",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.AddIndex(
            model_name="duplicate",
            index=models.Index(condition=models.Q(("state", "OPEN")), fields=["-id"], name="duplicate_open"),
        ),
        migrations.AddConstraint(
            model_name="duplicate",
            constraint=models.UniqueConstraint(fields=("first", "second"), name="duplicate_once"),
        ),
        migrations.AddConstraint(
            model_name="duplicate",
            constraint=models.CheckConstraint(
                condition=models.Q(("first__lt", models.F("second"))), name="duplicate_order"
            ),
        ),
        migrations.AddConstraint(
            model_name="duplicate",
            constraint=models.CheckConstraint(
                condition=models.Q(("cues", []), _negated=True), name="duplicate_has_cue"
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="duplicate",
            trigger=pgtrigger.compiler.Trigger(
                name="versioned",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="NEW.version := OLD.version + 1; NEW.updated_at := clock_timestamp(); RETURN NEW;",
                    hash="b562c1d23ad2a34eb4eb9bd55850900e12b19671",
                    operation="UPDATE",
                    pgid="pgtrigger_versioned_d0654",
                    table="reception_duplicate",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="duplicate",
            trigger=pgtrigger.compiler.Trigger(
                name="duplicate_moves",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n            IF TG_OP = 'INSERT' THEN\n                IF NEW.state NOT IN ('OPEN') THEN\n                    RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'duplicate_moves', TABLE = TG_TABLE_NAME, MESSAGE = 'duplicate_moves' || ': ' || 'born as ' || NEW.state;\n                END IF;\n            ELSIF NEW.state IS DISTINCT FROM OLD.state AND NOT ((OLD.state = 'OPEN' AND NEW.state IN ('DIFFERENT', 'MERGED')) OR (OLD.state = 'DIFFERENT' AND NEW.state IN ('MERGED')) OR (OLD.state = 'MERGED' AND NEW.state IN ('OPEN'))) THEN\n                RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'duplicate_moves', TABLE = TG_TABLE_NAME, MESSAGE = 'duplicate_moves' || ': ' || OLD.state || ' -> ' || NEW.state;\n            END IF;\n            RETURN NEW;\n        ",
                    hash="d804d1d8db478690b86acca205fed036da6e4aa4",
                    operation='INSERT OR UPDATE OF "state"',
                    pgid="pgtrigger_duplicate_moves_12615",
                    table="reception_duplicate",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="movedrow",
            constraint=models.UniqueConstraint(fields=("merge", "label", "field", "row_id"), name="movedrow_once"),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="movedrow",
            trigger=pgtrigger.compiler.Trigger(
                name="movedrow_append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="ba5e3c257a6c6854411971f1739150fa7d59d1bb",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_movedrow_append_only_a732b",
                    table="reception_movedrow",
                    when="BEFORE",
                ),
            ),
        ),
    ]
