"""What is looked for in an answer, and how a wrong one is told."""

import httpx

from tests.flows.matrix.world import World


def told(answer: httpx.Response) -> str:
    return f"{answer.status_code} {answer.text[:160]}"


def listed(wrong: dict[str, str]) -> str:
    return "\n".join(f"{name}: {what}" for name, what in wrong.items())


def leaks(answer: httpx.Response, world: World) -> set[str]:
    return {name for name, value in world.things.items() if value in world.marks and value in answer.text}


def version_in(answer: httpx.Response) -> int | None:
    """Give the version of what is answered, where it has one."""
    body = answer.json() if answer.headers.get("content-type") == "application/json" and answer.content else None
    return body.get("version") if isinstance(body, dict) else None
