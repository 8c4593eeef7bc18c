"""What the institution is called."""
