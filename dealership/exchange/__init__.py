"""Chapter 7: the API mount, imports, sharing, health and backups."""
