from django.db import migrations, models

import delivery.rules


class Migration(migrations.Migration):
    dependencies = [
        ("delivery", "0007_deposits_rounding_goodwill"),
    ]

    operations = [
        migrations.AlterField(
            model_name="gatepass",
            name="code",
            field=models.CharField(default=delivery.rules.new_gate_code, max_length=40, unique=True),
        ),
    ]
