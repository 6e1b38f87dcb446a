import uuid

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models

import dealership.kernel.clock


class Migration(migrations.Migration):
    dependencies = [
        ("reception", "0036_vehicle_type"),
        ("staff", "0005_shift_codes_are_fixed"),
        ("workshop", "0080_deposit_of_a_sale"),
    ]

    operations = [
        migrations.CreateModel(
            name="StandingConsent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("uid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
                ("created_at", models.DateTimeField(default=dealership.kernel.clock.now, editable=False)),
                ("updated_at", models.DateTimeField(default=dealership.kernel.clock.written_now, editable=False)),
                (
                    "up_to",
                    models.DecimalField(
                        decimal_places=2, help_text="CNY with VAT, additions of one visit", max_digits=12
                    ),
                ),
                ("given_by", models.CharField(max_length=60, verbose_name="given by")),
                (
                    "how",
                    models.CharField(choices=[("PAPER", "Signed on paper"), ("PHONE", "By telephone")], max_length=5),
                ),
                ("note", models.CharField(blank=True, max_length=200)),
                ("starts_on", models.DateField()),
                ("ends_on", models.DateField()),
                ("given_at", models.DateTimeField(default=dealership.kernel.clock.now)),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                ("ended_reason", models.CharField(blank=True, max_length=200)),
            ],
            options={
                "ordering": ["-id"],
            },
        ),
        migrations.AddField(
            model_name="authorization",
            name="standing",
            field=models.ForeignKey(
                blank=True,
                help_text="what the payer agreed to in advance",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="covered",
                to="workshop.standingconsent",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="authorization",
            trigger=pgtrigger.compiler.Trigger(
                name="authorization_by_standing_consent",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (NEW.status = 'APPROVED' AND (NEW.method = 'AUTOMATED_POLICY_PREAUTHORIZATION' OR NEW.standing_id IS NOT NULL))",
                    declare="DECLARE about record; used numeric;",
                    func="\n                    SELECT o.customer_id, o.visit_id, (NEW.at AT TIME ZONE s.time_zone)::date AS day,\n                        l.is_addition AND l.pay_type = 'CUSTOMER_PAY' AS fits\n                    INTO about FROM workshop_orderline l JOIN workshop_repairorder o ON o.id = l.order_id\n                        JOIN kernel_store s ON s.id = o.store_id WHERE l.id = NEW.line_id;\n                    SELECT COALESCE(sum(l.authorized_amount), 0) INTO used FROM workshop_orderline l\n                        JOIN workshop_repairorder o ON o.id = l.order_id WHERE o.visit_id = about.visit_id\n                        AND l.id <> NEW.line_id AND l.state IN ('AUTHORIZED', 'IN_PROGRESS', 'COMPLETED', 'INSPECTED')\n                        AND EXISTS (SELECT 1 FROM workshop_authorization a WHERE a.line_id = l.id\n                            AND a.standing_id = NEW.standing_id);\n                    PERFORM 1 FROM workshop_standingconsent c WHERE c.id = NEW.standing_id AND about.fits\n                        AND NEW.method = 'AUTOMATED_POLICY_PREAUTHORIZATION' AND c.customer_id = about.customer_id\n                        AND c.given_by = NEW.authorized_by AND c.ended_at IS NULL\n                        AND c.starts_on <= about.day AND c.ends_on >= about.day AND used + NEW.amount <= c.up_to\n                        FOR SHARE;\n                    IF NOT FOUND THEN RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'authorization_by_standing_consent', TABLE = TG_TABLE_NAME, MESSAGE = 'authorization_by_standing_consent'; END IF;\n                    RETURN NEW;\n                ",
                    hash="c15d358b44dbd3e70ea795a26ff28a75a1755de0",
                    operation="INSERT",
                    pgid="pgtrigger_authorization_by_standing_consent_bf507",
                    table="workshop_authorization",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.AddField(
            model_name="standingconsent",
            name="customer",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="standing_consents", to="reception.customer"
            ),
        ),
        migrations.AddField(
            model_name="standingconsent",
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
            model_name="standingconsent",
            constraint=models.UniqueConstraint(
                condition=models.Q(("ended_at__isnull", True)), fields=("customer",), name="standingconsent_one_live"
            ),
        ),
        migrations.AddConstraint(
            model_name="standingconsent",
            constraint=models.CheckConstraint(condition=models.Q(("up_to__gt", 0)), name="standingconsent_amount"),
        ),
        migrations.AddConstraint(
            model_name="standingconsent",
            constraint=models.CheckConstraint(
                condition=models.Q(("ends_on__gte", models.F("starts_on"))), name="standingconsent_days"
            ),
        ),
        migrations.AddConstraint(
            model_name="standingconsent",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("how", "PHONE"), _negated=True), models.Q(("note", ""), _negated=True), _connector="OR"
                ),
                name="standingconsent_phone_note",
            ),
        ),
        migrations.AddConstraint(
            model_name="standingconsent",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("ended_at__isnull", True), models.Q(("ended_reason", ""), _negated=True), _connector="OR"
                ),
                name="standingconsent_ended_why",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="standingconsent",
            trigger=pgtrigger.compiler.Trigger(
                name="versioned",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="NEW.version := OLD.version + 1; NEW.updated_at := clock_timestamp(); RETURN NEW;",
                    hash="700e15445b711bc9ab241cf22d6410b92650d25f",
                    operation="UPDATE",
                    pgid="pgtrigger_versioned_35b68",
                    table="workshop_standingconsent",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="standingconsent",
            trigger=pgtrigger.compiler.Trigger(
                name="standingconsent_fixed",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="IF ROW(OLD.customer_id, OLD.up_to, OLD.given_by, OLD.how, OLD.starts_on, OLD.ends_on, OLD.given_at) IS DISTINCT FROM ROW(NEW.customer_id, NEW.up_to, NEW.given_by, NEW.how, NEW.starts_on, NEW.ends_on, NEW.given_at) THEN RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'standingconsent_fixed', TABLE = TG_TABLE_NAME, MESSAGE = 'standingconsent_fixed'; END IF; RETURN NEW;",
                    hash="37298215baaecc73f9b1a1d912264ad85b558628",
                    operation='UPDATE OF "customer_id", "up_to", "given_by", "how", "starts_on", "ends_on", "given_at"',
                    pgid="pgtrigger_standingconsent_fixed_ce485",
                    table="workshop_standingconsent",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="standingconsent",
            trigger=pgtrigger.compiler.Trigger(
                name="standingconsent_kept",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;",
                    hash="2b9dce8a0160734a88642af78a88abf5bd439c60",
                    operation="DELETE",
                    pgid="pgtrigger_standingconsent_kept_a827a",
                    table="workshop_standingconsent",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="standingconsent",
            trigger=pgtrigger.compiler.Trigger(
                name="standingconsent_ended_stays",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.ended_at IS NOT NULL AND NEW.ended_at IS DISTINCT FROM OLD.ended_at)",
                    func="RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'standingconsent_ended_stays', TABLE = TG_TABLE_NAME, MESSAGE = 'standingconsent_ended_stays';",
                    hash="40157b5ad2b96b97ea671240ee81e1931f0d0f09",
                    operation='UPDATE OF "ended_at"',
                    pgid="pgtrigger_standingconsent_ended_stays_52f93",
                    table="workshop_standingconsent",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="standingconsent",
            trigger=pgtrigger.compiler.Trigger(
                name="standingconsent_by_who_may",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n                    IF EXISTS (SELECT 1 FROM reception_customer c WHERE c.id = NEW.customer_id\n                        AND c.kind = 'PERSON' AND c.name = NEW.given_by)\n                        OR EXISTS (SELECT 1 FROM reception_customercontact WHERE customer_id = NEW.customer_id\n                            AND name = NEW.given_by AND ended_at IS NULL AND 'AUTHORISES' = ANY(roles)\n                            AND COALESCE(authorises_from, NEW.starts_on) <= NEW.starts_on\n                            AND COALESCE(authorises_until, NEW.starts_on) >= NEW.starts_on\n                            AND (authorises_up_to IS NULL OR NEW.up_to <= authorises_up_to))\n                    THEN RETURN NEW; END IF;\n                    RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'standingconsent_by_who_may', TABLE = TG_TABLE_NAME, MESSAGE = 'standingconsent_by_who_may';\n                ",
                    hash="08f4d9ef92e54a67db7ab313f37652cca862196f",
                    operation="INSERT",
                    pgid="pgtrigger_standingconsent_by_who_may_a49f2",
                    table="workshop_standingconsent",
                    when="BEFORE",
                ),
            ),
        ),
    ]
