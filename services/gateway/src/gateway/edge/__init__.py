"""What keeps the door open while a service is slow, away or broken."""
