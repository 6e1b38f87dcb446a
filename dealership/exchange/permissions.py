"""What may be done with imports, exchange and the system itself (chapter 7). Each section names its topic."""
