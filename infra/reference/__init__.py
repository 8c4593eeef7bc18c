"""The reference case: 澜江学院, an invented institution of 120 invented people, from 30 July to 6 August 2021."""
