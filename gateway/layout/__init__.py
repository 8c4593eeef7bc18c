"""What every page stands in: the frame, the parts, the error page."""
