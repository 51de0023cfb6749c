"""Mean opinion scores: a blind rating page, and what many raters' answers say together."""
