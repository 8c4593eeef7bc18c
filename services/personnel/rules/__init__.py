"""Personnel's pure rules: what holds for people and their vaccinations, without a database, a network or a clock."""
