"""What is on hand lies in the main warehouse, in the bin that its part names; movements so far were made there (3.2)."""

from django.db import migrations

INTO_BINS = """
SET CONSTRAINTS ALL IMMEDIATE;
INSERT INTO workshop_warehouse (uid, version, created_at, updated_at, code, name, store_id)
    SELECT gen_random_uuid(), 1, now(), clock_timestamp(), 'MAIN', '主库', store_id
    FROM (SELECT DISTINCT store_id FROM workshop_stockitem ORDER BY store_id) AS stores;
ALTER TABLE workshop_stockbin DISABLE TRIGGER USER;
ALTER TABLE workshop_stockmovement DISABLE TRIGGER USER;
INSERT INTO workshop_stockbin (uid, version, created_at, updated_at, bin, on_hand, item_id, warehouse_id)
    SELECT gen_random_uuid(), 1, now(), clock_timestamp(), i.bin, i.on_hand, i.id, w.id
    FROM workshop_stockitem i JOIN workshop_warehouse w ON w.store_id = i.store_id AND w.code = 'MAIN' ORDER BY i.id;
UPDATE workshop_stockmovement m SET place_id = b.id FROM workshop_stockbin b WHERE b.item_id = m.item_id;
ALTER TABLE workshop_stockbin ENABLE TRIGGER USER;
ALTER TABLE workshop_stockmovement ENABLE TRIGGER USER;
"""


class Migration(migrations.Migration):
    dependencies = [("workshop", "0026_bins_and_warehouses")]

    operations = [migrations.RunSQL(INTO_BINS, migrations.RunSQL.noop)]
