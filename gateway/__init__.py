"""The gateway: every page and the one API address. It has no database; it asks the services and shows what they answer."""
