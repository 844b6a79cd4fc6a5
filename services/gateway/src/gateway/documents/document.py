"""The merged document as bytes: gathered from the services, refreshed in the background, kept when one is away."""

import asyncio
import contextlib
import hashlib
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Final, NamedTuple
from urllib.parse import urlsplit

import orjson

from gateway.documents.descriptions import frame, security_schemes
from gateway.documents.merging import Document, is_document, merge
from gateway.forwarding.exchange import fetch
from gateway.forwarding.failures import AnswerBroken, ForwardingFailure, ServiceUnreachable
from gateway.forwarding.limits import MIB, Timeouts
from gateway.forwarding.pool import Upstream
from gateway.forwarding.routing import OddPath, RoutingTable

log = logging.getLogger("gateway.documents")

PATH: Final = "/openapi.json"
LARGEST: Final = 8 * MIB
REFRESH_SECONDS: Final = 60.0
SOON_SECONDS: Final = 2.0  # while a service has not been heard of yet
_TIMEOUTS: Final = Timeouts(first_byte=10, idle=5, total=20)


class Published(NamedTuple):
    """The document as it is served."""

    body: bytes
    etag: str


class _Copy(NamedTuple):
    """A service's document as it was last good."""

    document: Document
    fetched_at: datetime


def published_document(merged: Document, *, public_url: str, version: str) -> Document:
    """Put the frame around what was merged: title, address, ways to authenticate."""
    components = merged["components"]
    schemes = {**security_schemes(public_url), **components.get("securitySchemes", {})}
    return {
        **frame(public_url, version),
        "paths": merged["paths"],
        "components": {**components, "securitySchemes": schemes},
    }


class MergedDocument:
    """The system's OpenAPI 3.1 document in `published`; `running` (a hook of the application) keeps it fresh.

    `own` gives the gateway's document, `upstreams` the other services. A service that does not give a valid document
    stays with its last good one and is named in `x-xiangqiao-stale` with the time of that copy, null without one.
    """

    def __init__(
        self, upstreams: Mapping[str, Upstream], routes: RoutingTable, own: Callable[[], Document], *, public_url: str
    ) -> None:
        self._upstreams = upstreams
        self._routes = routes
        self._own = own
        self._public_url = public_url.rstrip("/")
        self._host = urlsplit(public_url).netloc
        self._copies: dict[str, _Copy] = {}
        # Why, as it was told last; that a service is still coming up is not worth telling.
        self._stale: dict[str, str] = dict.fromkeys(upstreams, ServiceUnreachable.reason)
        self._published: Published | None = None

    @property
    def published(self) -> Published:
        """The document now; made of what is known when nothing was fetched yet."""
        if self._published is None:
            self._published = self._merge()
        return self._published

    @asynccontextmanager
    async def running(self, _application: object = None) -> AsyncIterator[None]:
        """Refresh in the background as long as the block lasts."""
        task = asyncio.create_task(self._keep_fresh(), name="documents")
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def refresh(self) -> None:
        """Ask every service once, and publish what changed."""
        fetched = await asyncio.gather(*(self._fetch(service) for service in self._upstreams))
        for service, document in zip(self._upstreams, fetched, strict=True):
            if document is None:
                continue
            self._stale.pop(service, None)
            known = self._copies.get(service)
            if known is None or known.document != document:
                unrouted = sum(
                    path.startswith("/v1/") and not self._is_public(path, service) for path in document["paths"]
                )
                log.info("document_fetched", extra={"upstream_id": service, "unrouted_paths": unrouted})
            self._copies[service] = _Copy(document, datetime.now(UTC))
        self._published = self._merge()

    async def _keep_fresh(self) -> None:
        while True:
            await self.refresh()
            unheard = self._upstreams.keys() - self._copies.keys()
            await asyncio.sleep(SOON_SECONDS if unheard else REFRESH_SECONDS)

    async def _fetch(self, service: str) -> Document | None:
        upstream = self._upstreams[service]
        try:
            answer = await fetch(upstream, PATH, host=self._host, timeouts=_TIMEOUTS, max_bytes=LARGEST)
            content = orjson.loads(answer.body) if answer.status == 200 else None
            if not is_document(content) or not self._can_be_merged(service, content):
                raise AnswerBroken("not an OpenAPI document")
        except (ForwardingFailure, orjson.JSONDecodeError) as error:
            reason = error.reason if isinstance(error, ForwardingFailure) else "not_json"
            if self._stale.get(service) != reason:
                log.warning("document_stale", extra={"upstream_id": service, "reason": reason})
            self._stale[service] = reason
            return None
        return content

    def _merge(self) -> Published:
        documents = {service: copy.document for service, copy in sorted(self._copies.items())}
        own = self._own()
        merged = merge({**documents, "gateway": own}, self._is_public)
        document = published_document(
            merged, public_url=self._public_url, version=str(own.get("info", {}).get("version", "1"))
        )
        if self._stale:
            document["x-xiangqiao-stale"] = {service: self._fetched_at(service) for service in sorted(self._stale)}
        body = orjson.dumps(document)
        return Published(body, f'"{hashlib.sha256(body).hexdigest()[:32]}"')

    def _fetched_at(self, service: str) -> str | None:
        copy = self._copies.get(service)
        return copy.fetched_at.isoformat(timespec="seconds") if copy is not None else None

    def _can_be_merged(self, service: str, document: Document) -> bool:
        try:
            merge({service: document}, self._is_public)
        except (TypeError, AttributeError, KeyError, ValueError):
            return False
        return True

    def _is_public(self, path: str, service: str) -> bool:
        try:
            route = self._routes.find(path.encode())
        except OddPath:
            return False
        return route is not None and (route.service or "gateway") == service
