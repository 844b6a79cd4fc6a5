"""The member files, their versions, and what is counted of them."""
