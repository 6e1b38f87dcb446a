import uuid

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models

import dealership.kernel.clock


class Migration(migrations.Migration):
    dependencies = [
        ("kernel", "0008_messages_read"),
        ("staff", "0005_shift_codes_are_fixed"),
        ("workshop", "0072_put_together_without_repair"),
    ]

    operations = [
        migrations.CreateModel(
            name="PartConsent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("uid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
                ("created_at", models.DateTimeField(default=dealership.kernel.clock.now, editable=False)),
                ("updated_at", models.DateTimeField(default=dealership.kernel.clock.written_now, editable=False)),
                (
                    "parts",
                    models.JSONField(help_text="number, name, kind and quantity of each such part, as they were read"),
                ),
                ("signed_name", models.CharField(max_length=60, verbose_name="signed by")),
                ("on_paper", models.BooleanField(default=False)),
                ("signed_at", models.DateTimeField(default=dealership.kernel.clock.now)),
            ],
            options={
                "ordering": ["id"],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="partline",
            trigger=pgtrigger.compiler.Trigger(
                name="partline_not_new_in_writing",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (NEW.issued_quantity > 0 AND NEW.kind IN ('REMANUFACTURED', 'REPAIRED', 'USED'))",
                    func="\n                    IF TG_OP = 'UPDATE' AND NEW.issued_quantity <= OLD.issued_quantity AND NEW.kind = OLD.kind\n                    THEN RETURN NEW; END IF;\n                    PERFORM 1 FROM workshop_orderline l JOIN LATERAL (SELECT a.id, a.status, a.method\n                        FROM workshop_authorization a WHERE a.line_id = l.id AND a.status <> 'NOT_ENTITLED'\n                        ORDER BY a.id DESC LIMIT 1) said ON true\n                        WHERE l.id = NEW.line_id AND (EXISTS (SELECT 1 FROM workshop_partconsent c\n                                WHERE c.decision_id = said.id)\n                            OR l.pay_type = 'CUSTOMER_PAY' AND said.status = 'APPROVED' AND said.method IN (\n                                'DIGITAL_PORTAL', 'IN_PERSON_DIGITAL_SIGNATURE', 'IN_PERSON_PHYSICAL_SIGNATURE'));\n                    IF NOT FOUND THEN RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'partline_not_new_in_writing', TABLE = TG_TABLE_NAME, MESSAGE = 'partline_not_new_in_writing'; END IF;\n                    RETURN NEW;\n                ",
                    hash="5274a9bfcd53b311cdcc109fdaf3a366053c75dd",
                    operation='INSERT OR UPDATE OF "issued_quantity", "kind"',
                    pgid="pgtrigger_partline_not_new_in_writing_f2bda",
                    table="workshop_partline",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.AddField(
            model_name="partconsent",
            name="decision",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.PROTECT, related_name="part_consent", to="workshop.authorization"
            ),
        ),
        migrations.AddField(
            model_name="partconsent",
            name="line",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="part_consents", to="workshop.orderline"
            ),
        ),
        migrations.AddField(
            model_name="partconsent",
            name="signature",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="kernel.storedfile",
            ),
        ),
        migrations.AddField(
            model_name="partconsent",
            name="taken_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="staff.employee",
            ),
        ),
        migrations.AddConstraint(
            model_name="partconsent",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("on_paper", False), ("signature__isnull", False)),
                    models.Q(("on_paper", True), ("signature__isnull", True)),
                    _connector="OR",
                ),
                name="partconsent_drawn",
            ),
        ),
        migrations.AddConstraint(
            model_name="partconsent",
            constraint=models.CheckConstraint(
                condition=models.Q(("signed_name", ""), _negated=True), name="partconsent_name"
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="partconsent",
            trigger=pgtrigger.compiler.Trigger(
                name="versioned",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="NEW.version := OLD.version + 1; NEW.updated_at := clock_timestamp(); RETURN NEW;",
                    hash="0ca7afd30ed0e9b5ce1374ade3e67e9c61a73699",
                    operation="UPDATE",
                    pgid="pgtrigger_versioned_5154f",
                    table="workshop_partconsent",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="partconsent",
            trigger=pgtrigger.compiler.Trigger(
                name="partconsent_append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="1452994e4184ad91de56738bbf3708e8c565d71d",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_partconsent_append_only_c6724",
                    table="workshop_partconsent",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="partconsent",
            trigger=pgtrigger.compiler.Trigger(
                name="partconsent_of_its_line",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n                    IF (SELECT a.id FROM workshop_authorization a WHERE a.line_id = NEW.line_id\n                            AND a.status <> 'NOT_ENTITLED' ORDER BY a.id DESC LIMIT 1) IS DISTINCT FROM NEW.decision_id\n                        OR NOT EXISTS (SELECT 1 FROM workshop_authorization\n                            WHERE id = NEW.decision_id AND status IN ('APPROVED', 'NOT_REQUIRED'))\n                        OR NOT EXISTS (SELECT 1 FROM workshop_partline WHERE line_id = NEW.line_id\n                            AND kind IN ('REMANUFACTURED', 'REPAIRED', 'USED'))\n                    THEN RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'partconsent_of_its_line', TABLE = TG_TABLE_NAME, MESSAGE = 'partconsent_of_its_line'; END IF;\n                    RETURN NEW;\n                ",
                    hash="a87bce5e7051665cad48cf0d1b6f4ded584647a3",
                    operation="INSERT",
                    pgid="pgtrigger_partconsent_of_its_line_0b8d4",
                    table="workshop_partconsent",
                    when="BEFORE",
                ),
            ),
        ),
    ]
