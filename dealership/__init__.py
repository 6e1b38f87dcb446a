"""The composition root: settings, addresses and the work queue of the whole system."""
