"""The names under which parts were ordered and work was given out become the register: each name of a store once (3.2)."""

from django.db import migrations

CARRIED = """
SET CONSTRAINTS ALL IMMEDIATE;
INSERT INTO workshop_supplier
    (uid, version, created_at, updated_at, store_id, name, kind, contact, phone, tax_number, active)
    SELECT gen_random_uuid(), 1, now(), clock_timestamp(), store_id, name,
        CASE WHEN bool_or(parts) AND bool_or(work) THEN 'BOTH' WHEN bool_or(parts) THEN 'PARTS' ELSE 'WORK' END,
        '', '', '', true
    FROM (SELECT store_id, supplier AS name, true AS parts, false AS work FROM workshop_purchaseorder
        UNION ALL SELECT store_id, supplier, false, true FROM workshop_subletorder) AS used
    GROUP BY store_id, name ORDER BY store_id, name;
ALTER TABLE workshop_purchaseorder DISABLE TRIGGER USER;
ALTER TABLE workshop_subletorder DISABLE TRIGGER USER;
UPDATE workshop_purchaseorder p SET firm_id = s.id FROM workshop_supplier s
    WHERE s.store_id = p.store_id AND s.name = p.supplier;
UPDATE workshop_subletorder w SET firm_id = s.id FROM workshop_supplier s
    WHERE s.store_id = w.store_id AND s.name = w.supplier;
ALTER TABLE workshop_purchaseorder ENABLE TRIGGER USER;
ALTER TABLE workshop_subletorder ENABLE TRIGGER USER;
"""


class Migration(migrations.Migration):
    dependencies = [("workshop", "0075_suppliers")]

    operations = [migrations.RunSQL(CARRIED, migrations.RunSQL.noop)]
