"""What people decide about their own data: consents, the file with all of it, erasure, and what holds it back."""
