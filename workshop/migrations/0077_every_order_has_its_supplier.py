import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("workshop", "0076_suppliers_carried_over")]

    operations = [
        migrations.AlterField(
            model_name="purchaseorder",
            name="firm",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="purchases", to="workshop.supplier"
            ),
        ),
        migrations.AlterField(
            model_name="subletorder",
            name="firm",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="works", to="workshop.supplier"
            ),
        ),
    ]
