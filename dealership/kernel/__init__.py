"""What at least two chapters use and no chapter owns: actors, stores, history, clock, numbers, settings."""
