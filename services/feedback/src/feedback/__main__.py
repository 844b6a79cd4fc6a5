"""`python -m feedback`: its processes, its migrations, and what an operator does in its database."""

from pathlib import Path

from feedback.app import SERVICE

if __name__ == "__main__":
    SERVICE.main(Path(__file__).parents[2] / "migrations")
