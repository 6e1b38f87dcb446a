"""A lift whose place is called after a bay of its store stands in that bay (3.4)."""

from django.db import migrations

FILL = """
    UPDATE workshop_toolasset t SET bay_id = r.id FROM catalogue_resource r
    WHERE t.kind = 'LIFT' AND t.bay_id IS NULL AND r.kind = 'BAY' AND r.store_id = t.store_id AND r.name = t.place
"""


class Migration(migrations.Migration):
    dependencies = [("workshop", "0070_bays_of_lifts")]

    operations = [migrations.RunSQL(FILL, migrations.RunSQL.noop)]
