"""Who registered and who took part: one fact per person and activity, however many sources report it."""
