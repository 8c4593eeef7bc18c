"""The ground floor: what every service stands on, and which knows none of them."""
