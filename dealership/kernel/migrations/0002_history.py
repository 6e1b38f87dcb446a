"""The append-only history: partitioned by month, guarded by plain SQL that no session can switch off."""

from django.conf import settings
from django.db import migrations

FORWARD = """
CREATE SEQUENCE kernel_history_id_seq;
CREATE TABLE kernel_history (
    id bigint NOT NULL DEFAULT nextval('kernel_history_id_seq'),
    at timestamptz NOT NULL,
    written_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    txid bigint NOT NULL DEFAULT (pg_current_xact_id()::text::bigint),
    code varchar(80) NOT NULL,
    root_type varchar(40) NOT NULL,
    root_uid uuid NOT NULL,
    store_id bigint,
    actor_kind varchar(8) NOT NULL,
    actor_id varchar(64) NOT NULL,
    visit_uid uuid, vehicle_uid uuid, customer_uid uuid, order_uid uuid,
    late_reason text NOT NULL DEFAULT '',
    changed jsonb NOT NULL DEFAULT '{}',
    facts jsonb NOT NULL DEFAULT '{}',
    PRIMARY KEY (id, at)
) PARTITION BY RANGE (at);
ALTER SEQUENCE kernel_history_id_seq OWNED BY kernel_history.id;
COMMENT ON TABLE kernel_history IS '1.1: append-only log of every command; facts hold no names and no free text';
CREATE INDEX kernel_history_feed ON kernel_history (txid, id);
CREATE INDEX kernel_history_root ON kernel_history (root_uid, at);
CREATE INDEX kernel_history_visit ON kernel_history (visit_uid, at) WHERE visit_uid IS NOT NULL;
CREATE INDEX kernel_history_vehicle ON kernel_history (vehicle_uid, at) WHERE vehicle_uid IS NOT NULL;
CREATE INDEX kernel_history_customer ON kernel_history (customer_uid, at) WHERE customer_uid IS NOT NULL;
CREATE INDEX kernel_history_order ON kernel_history (order_uid, at) WHERE order_uid IS NOT NULL;
CREATE INDEX kernel_history_code ON kernel_history (store_id, code, at);

-- Months from 24 back to 24 ahead; what lies outside goes to the default partition and is never refused.
CREATE TABLE kernel_history_default PARTITION OF kernel_history DEFAULT;
CREATE FUNCTION kernel_history_ensure(first_month date, last_month date) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
DECLARE month date := date_trunc('month', first_month);
BEGIN
    WHILE month <= last_month LOOP
        EXECUTE format(
            'CREATE TABLE IF NOT EXISTS kernel_history_%s PARTITION OF kernel_history FOR VALUES FROM (%L) TO (%L)',
            to_char(month, 'YYYYMM'), month::timestamp AT TIME ZONE 'UTC',
            (month + interval '1 month')::timestamp AT TIME ZONE 'UTC');
        month := month + interval '1 month';
    END LOOP;
END $$;
SELECT kernel_history_ensure((now() - interval '24 months')::date, (now() + interval '24 months')::date);

CREATE FUNCTION kernel_history_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'history_append_only', TABLE = 'kernel_history',
        MESSAGE = 'history_append_only: the history is never changed or deleted (1.1)';
END $$;
CREATE TRIGGER history_append_only BEFORE UPDATE OR DELETE ON kernel_history
    FOR EACH ROW EXECUTE FUNCTION kernel_history_append_only();
"""

BACKWARD = """
DROP TABLE kernel_history;
DROP FUNCTION kernel_history_append_only();
DROP FUNCTION kernel_history_ensure(date, date);
"""


def close_doors(apps, schema_editor):
    """The application's role writes history only through triggers and INSERT."""
    role = settings.DATABASE_APP_ROLE
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role])
        if cursor.fetchone():
            quoted = schema_editor.quote_name(role)
            cursor.execute("REVOKE EXECUTE ON FUNCTION kernel_history_ensure(date, date) FROM PUBLIC")
            cursor.execute(f"GRANT EXECUTE ON FUNCTION kernel_history_ensure(date, date) TO {quoted}")


class Migration(migrations.Migration):
    dependencies = [("kernel", "0001_initial")]
    operations = [
        migrations.RunSQL(FORWARD, BACKWARD),
        migrations.RunPython(close_doors, migrations.RunPython.noop),
    ]
