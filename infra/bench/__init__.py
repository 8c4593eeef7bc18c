"""Measures what people feel, with ratios to a bare route in the same run."""
