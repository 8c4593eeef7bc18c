"""What is late, for the operator."""
