"""The week of duties: read by everybody, filled, published and amended by those who plan."""
