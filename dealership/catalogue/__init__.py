"""What is offered and what can be in one place only: models, operations, parts, prices, resources."""
