"""How far each person came in each lesson, and whether they understood it."""
