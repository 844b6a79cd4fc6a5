"""`python -m activities`: its processes, its migrations, and what an operator does in its database."""

from activities.app import SERVICE

if __name__ == "__main__":
    SERVICE.main()
