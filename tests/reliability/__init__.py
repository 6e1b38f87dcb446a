"""What is left when processes, Redis and the database are killed; who wins when two meet; which number changes what."""
