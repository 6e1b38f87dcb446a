"""A first start renders few models while it migrates, and what a migration's own Python sees is whole all the same."""

from __future__ import annotations

from django.db import migrations, models
from django.db.migrations.state import ProjectState

from dealership.kernel.management.commands.migrate import little_rendering


def test_pythons_models_know_the_fields_that_were_added_before() -> None:
    with little_rendering():
        state = ProjectState()
        key = [("id", models.BigAutoField(primary_key=True))]
        migrations.CreateModel("Car", key).state_forwards("workshop", state)
        to_car = models.ForeignKey("workshop.Car", models.PROTECT, related_name="jobs")
        migrations.CreateModel("Job", [*key, ("car", to_car)]).state_forwards("workshop", state)
        before = state.apps.get_model("workshop", "Job")
        migrations.AddField("Car", "colour", models.CharField(max_length=9)).state_forwards("workshop", state)

        assert state.apps.get_model("workshop", "Car")._meta.get_field("colour")
        assert state.apps.get_model("workshop", "Job") is before, "the models around it were left alone"

        state.clear_delayed_apps_cache()  # what RunPython does first
        car, job = (state.apps.get_model("workshop", name) for name in ("Car", "Job"))
        assert job._meta.get_field("car").related_model is car
        assert str(job.objects.filter(car__colour="red").query).count("colour") == 1
        assert car._meta.get_field("jobs").related_model is job


def test_a_renamed_field_is_renamed_where_others_name_it() -> None:
    with little_rendering():
        state = ProjectState()
        migrations.CreateModel("Car", [("plate", models.CharField(max_length=9, primary_key=True))]).state_forwards(
            "workshop", state
        )
        to_car = models.ForeignKey("workshop.Car", models.PROTECT, to_field="plate")
        fields = [("id", models.BigAutoField(primary_key=True)), ("car", to_car)]
        migrations.CreateModel("Job", fields).state_forwards("workshop", state)
        assert state.apps.get_model("workshop", "Job")
        migrations.RenameField("Car", "plate", "number").state_forwards("workshop", state)
        assert state.apps.get_model("workshop", "Job")._meta.get_field("car").target_field.name == "number"
