"""Chapter 1: the event registry, stages and norms, timelines, KPI values and the Manual page."""
