"""Background work of chapter 8. Due times live in the database; a task looks for what is due."""

from compliance.services.health_uploads import send_due_uploads
from dealership.kernel.tasks import periodic


@periodic("compliance.send_health_records", seconds=60)
def send_health_records() -> int:
    """Every minute: health records that are due; each is taken before it is sent, so that two runs don't send one."""
    return send_due_uploads()
