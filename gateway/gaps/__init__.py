"""Places that nobody holds since somebody fell out, and whom to ask."""
