"""What a person lets the system do with their data: purposes, their texts, consents."""
