"""One OpenAPI document of the whole system, and the page that shows it."""
