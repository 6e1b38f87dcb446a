"""The person whom a customer asks for (1.2)."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("reception", "0005_labels"),
        ("staff", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="customer",
            name="contact",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="contacts",
                to="staff.employee",
                verbose_name="contact person",
            ),
        ),
    ]
