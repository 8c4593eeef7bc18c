"""The reference case: 澜江学院, an invented institution of 120 invented people, as it stood on 4 August 2021."""
