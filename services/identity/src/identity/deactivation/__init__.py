"""Taking accounts out of use and bringing them back, also those that nobody had a say to open."""
