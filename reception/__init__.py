"""Chapter 2: customers, vehicles, appointments and visits."""
