"""People and their health records, as the HR desk keeps them."""
