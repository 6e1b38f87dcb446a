"""3.2: the guarantee that a shop sets is never shorter than the law gives (art. 37 and 39)."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION workshop_guarantee_by_law() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT 1 FROM (VALUES
            ('WHOLE_VEHICLE', 20000, 100),
            ('ASSEMBLY', 20000, 100),
            ('SECOND_MAINTENANCE', 5000, 30),
            ('FIRST_MAINTENANCE', 2000, 10),
            ('MINOR', 2000, 10),
            ('SPECIAL', 2000, 10)
        ) AS law (category, km, days)
        WHERE (CASE WHEN jsonb_typeof(NEW.value -> category -> 'km') = 'number'
                THEN (NEW.value -> category ->> 'km')::numeric >= km END) IS NOT TRUE
            OR (CASE WHEN jsonb_typeof(NEW.value -> category -> 'days') = 'number'
                THEN (NEW.value -> category ->> 'days')::numeric >= days END) IS NOT TRUE
    ) THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'setting_guarantee_by_law',
            TABLE = TG_TABLE_NAME, MESSAGE = 'setting_guarantee_by_law';
    END IF;
    RETURN NEW;
END $$;
COMMENT ON FUNCTION workshop_guarantee_by_law() IS '3.2: the guarantee of repairs is never shorter than the law gives';
CREATE TRIGGER setting_guarantee_by_law BEFORE INSERT OR UPDATE OF key, value ON kernel_setting
    FOR EACH ROW WHEN (NEW.key = 'workshop.guarantee') EXECUTE FUNCTION workshop_guarantee_by_law();
"""
BACK = """
DROP TRIGGER setting_guarantee_by_law ON kernel_setting;
DROP FUNCTION workshop_guarantee_by_law();
"""


class Migration(migrations.Migration):
    dependencies = [("workshop", "0065_inspected_by_others"), ("kernel", "0008_messages_read")]
    operations = [migrations.RunSQL(FORWARD, BACK)]
