"""`python -m members`: its processes, its migrations, and what an operator does in its database."""

from members.app import SERVICE

if __name__ == "__main__":
    SERVICE.main()
