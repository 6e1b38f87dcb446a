"""The contacts that are there get their pinyin; a surname read otherwise is put right when the name is next saved."""

import re

from django.db import migrations
from pypinyin import lazy_pinyin


def spell(apps, _schema_editor):
    contacts = apps.get_model("reception", "CustomerContact")
    for row in contacts.objects.filter(pinyin="").only("pk", "name").iterator():
        syllables = [part for word in lazy_pinyin(row.name.lower()) for part in re.findall(r"[a-z0-9]+", word)]
        initials = "".join(part if part.isdigit() else part[0] for part in syllables)
        contacts.objects.filter(pk=row.pk).update(pinyin="".join(syllables)[:160], pinyin_initials=initials[:40])


class Migration(migrations.Migration):
    dependencies = [("reception", "0029_contacts_are_found")]

    operations = [migrations.RunPython(spell, migrations.RunPython.noop)]
