"""`python -m identity`: its processes, its migrations, and what an operator does in its database."""

from identity.app import SERVICE

if __name__ == "__main__":
    SERVICE.main()
