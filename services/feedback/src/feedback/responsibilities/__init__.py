"""Who must answer what, where and by when: a dated table."""
