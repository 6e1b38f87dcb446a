"""Tags of chapter 1."""
