"""Messages to the phones on member files: their texts and their queue."""
