"""An officer confirms that the person whom an account was opened for stands before them."""
