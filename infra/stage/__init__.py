"""The story of 4 to 6 August 2021 played through the public API: at each stop the clock is set, and people do what they did then."""
