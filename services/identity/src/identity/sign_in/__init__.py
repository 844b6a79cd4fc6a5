"""The pages on which a person signs in and out, and the browser session they leave behind."""
