"""Who holds which role, and who decides about it."""
