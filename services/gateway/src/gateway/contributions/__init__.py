"""What each aggregate adds to the figures: kept by aggregate, its changes passed up the tree."""
