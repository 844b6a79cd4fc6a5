"""The services there are stand in `contracts.SERVICES`; whatever else lists them says the same, and routes meet."""

import importlib.util
import re
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

import gateway.settings
from contracts import EVENT_TYPES, SERVICES
from gateway.documents.descriptions import TAGS
from gateway.forwarding.routing import public_routes
from standalone import bus
from standalone.services import DOOR, NAMES, WITNESSES

ROOT = Path(__file__).resolve().parents[2]
INSIDE = {
    "/health/": "for who operates it, at its own port",
    "/openapi.json": "merged with those of the others by the gateway",
    "/v1/export-parts/": "fetched by the gateway itself, with the person's own token",
}
"""The beginnings of paths that nobody reaches through the gateway, with the reason."""


def lists_of_services() -> Iterator[tuple[str, Iterable[str]]]:
    """Give every list of all services, and where it stands."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    contracts = project["tool"]["importlinter"]["contracts"]
    (independent,) = (contract["modules"] for contract in contracts if contract["type"] == "independence")
    sources = {Path(path).parts[-2] for path in project["tool"]["mypy"]["mypy_path"] if "/services/" in path}
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))["services"]
    yield "services/", (file.parent.name for file in (ROOT / "services").glob("*/pyproject.toml"))
    yield "standalone.services.NAMES", NAMES
    yield "standalone.services.WITNESSES", WITNESSES
    yield "standalone.bus.READERS", bus.READERS
    yield "gateway.documents.descriptions.TAGS", TAGS
    yield "gateway.settings", [*_upstreams(), DOOR]
    yield "pyproject.toml: independence", independent
    yield "pyproject.toml: mypy_path", sources
    yield "pyproject.toml: root_packages", set(project["tool"]["importlinter"]["root_packages"]) & set(SERVICES)
    yield "docker-compose.yml: api", compose.keys() & set(SERVICES)
    yield "docker-compose.yml: worker", (name[:-7] for name in compose if name.endswith("-worker"))
    yield "docker-compose.yml: migrate", (name[:-8] for name in compose if name.endswith("-migrate"))
    yield "docker-compose.yml: upstreams", [*_told_upstreams(compose[DOOR]["environment"]), DOOR]
    yield "deploy/smoke", _words(r"services=\((.*)\)", "deploy/smoke")
    yield "deploy/postgres/databases.sh", _words(r"for service in (.*); do", "deploy/postgres/databases.sh")


def _upstreams() -> list[str]:
    fields = gateway.settings.Settings.model_fields
    return [name.removeprefix("upstream_") for name in fields if name.startswith("upstream_")]


def _told_upstreams(environment: dict[str, Any]) -> list[str]:
    told = [name.partition("_UPSTREAM_")[2].lower() for name in environment if "_UPSTREAM_" in name]
    assert all(str(environment[f"XIANGQIAO_UPSTREAM_{name.upper()}"]) == f"http://{name}:8000" for name in told)
    return told


def _words(pattern: str, file: str) -> list[str]:
    found = re.search(pattern, (ROOT / file).read_text("utf-8"))
    assert found is not None
    return found[1].split()


@pytest.mark.parametrize(
    ("where", "names"), list(lists_of_services()), ids=lambda each: each if type(each) is str else ""
)
def test_every_list_of_the_services_names_them_all(where: str, names: Iterable[str]) -> None:
    assert sorted(names) == sorted(SERVICES), where


@pytest.mark.parametrize(("service", "witness"), list(WITNESSES.items()))
def test_the_audit_of_a_service_is_witnessed_by_another(service: str, witness: str) -> None:
    told = EVENT_TYPES[f"xiangqiao.{service}.audit_chain.checkpointed.v1"]
    consumers = importlib.import_module(f"{witness}.worker").CONSUMERS
    assert witness != service
    assert any(told in consumer.handlers for consumer in consumers)


def test_every_operation_is_reached_through_the_gateway_and_no_route_leads_nowhere(generate: ModuleType) -> None:
    table = public_routes()
    astray, used = [], set()
    for service in SERVICES:
        paths = {route.path for route in generate.application_of(service).routes}
        for path in sorted(path for path in paths if not path.startswith(tuple(INSIDE))):
            route = table.find(re.sub(r"\{[^}]+\}", "x", path).encode())
            if route is None or route.service != (None if service == DOOR else service):
                astray.append(f"{service}: {path}")
            else:
                used.add(route.prefix)
    assert astray == []
    assert {route.prefix for route in table.routes} == used
