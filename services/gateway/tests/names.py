"""The dotted names in the text of a module, whether or not a test comes past them."""

import ast
import inspect
import re
from types import ModuleType


def dotted_names(*modules: ModuleType) -> set[str]:
    """Give each text of the modules that is a name such as `case.confirm`, whole and not made of parts."""
    nodes = (node for module in modules for node in ast.walk(ast.parse(inspect.getsource(module))))
    texts = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return {text for text in texts if re.fullmatch(r"[a-z_]+(\.[a-z_]+)+", text)}
