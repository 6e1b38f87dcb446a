from django.db import migrations

# What was known so far by its unit, and what the first catalogue uses up or belongs to the high-voltage system.
SQL = """
    UPDATE catalogue_part SET leaves_old = false
        WHERE unit IN ('升', 'L', '千克', 'kg', '毫升', 'ml', '克', 'g', '米', 'm')
        OR number IN ('FLD-WASH-2L', 'TYR-PATCH', 'AC-CLEAN-01', 'PNT-BASE-01', 'PNT-PRIM-01', 'HV-SEAL-01');
    UPDATE catalogue_part SET high_voltage = true WHERE number IN ('HV-BAT-PACK', 'HV-FUSE-01');
"""


class Migration(migrations.Migration):
    dependencies = [
        ("catalogue", "0014_part_handling"),
    ]

    operations = [migrations.RunSQL(SQL, migrations.RunSQL.noop)]
