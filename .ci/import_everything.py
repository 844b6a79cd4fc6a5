"""Imports every module of a package, in an environment with only what the package declares: what is missing fails."""

import importlib
import pkgutil
import sys


def import_all(name: str) -> int:
    """Import the package and all below it but `__main__`; return how many modules that were."""
    package = importlib.import_module(name)
    below = [found.name for found in pkgutil.walk_packages(package.__path__, f"{name}.")]
    wanted = [module for module in below if not module.endswith(".__main__")]
    for module in wanted:
        importlib.import_module(module)
    return 1 + len(wanted)


if __name__ == "__main__":
    import_all(sys.argv[1])
