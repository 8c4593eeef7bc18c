"""External systems and their keys."""
