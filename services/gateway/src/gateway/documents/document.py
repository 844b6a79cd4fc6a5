"""The merged document as bytes: gathered from the services, refreshed in the background, kept when one is away."""

import asyncio
import contextlib
import hashlib
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from re import Pattern
from typing import Final, NamedTuple, TypeGuard
from urllib.parse import urlsplit

import orjson

from database import Database
from gateway.documents.copies import Copy, keep, recall
from gateway.documents.descriptions import frame, security_schemes
from gateway.documents.merging import Document, is_document, merge
from gateway.documents.problem_pages import AllTold, problems_of
from gateway.edge.compression import packed
from gateway.forwarding.endings import Ending, Endings, Forms, endings_of, unrecorded_of
from gateway.forwarding.exchange import Fetched, fetch
from gateway.forwarding.failures import AnswerBroken, ForwardingFailure, ServiceUnreachable
from gateway.forwarding.limits import MIB, Timeouts
from gateway.forwarding.routing import OddPath, RoutingTable
from gateway.forwarding.upstream import Upstream

log = logging.getLogger("gateway.documents")

PATH: Final = "/openapi.json"
LARGEST: Final = 8 * MIB
REFRESH_SECONDS: Final = 60.0
SOON_SECONDS: Final = 2.0  # while a service has not been heard of yet
_TIMEOUTS: Final = Timeouts(first_byte=10, idle=5, total=20)


class Published(NamedTuple):
    """The document as it is served, and what else services told: of operations that will go, and of problems."""

    body: bytes
    packed: bytes
    etag: str
    endings: Endings
    unrecorded: Forms
    problems: AllTold


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
    stays with its last good one, which `database` keeps over a restart, and is named in `x-xiangqiao-stale` with the
    time of that copy, null without one.
    """

    def __init__(
        self,
        upstreams: Mapping[str, Upstream],
        routes: RoutingTable,
        own: Callable[[], Document],
        *,
        public_url: str,
        database: Database,
    ) -> None:
        self._upstreams = upstreams
        self._routes = routes
        self._own = own
        self._public_url = public_url.rstrip("/")
        self._host = urlsplit(public_url).netloc
        self._database = database
        self._copies: dict[str, Copy] = {}
        # Why, as it was told last; that a service is still coming up is not worth telling.
        self._stale: dict[str, str] = dict.fromkeys(upstreams, ServiceUnreachable.reason)
        self._unheard = set(upstreams)
        self.endings: list[Ending] = []
        """What the door says of operations that will go; the same list for as long as this lives."""
        self.unrecorded: list[Pattern[bytes]] = []
        """Paths whose reading leaves no entry in an audit; the same list, too."""
        self._published: Published | None = None

    @property
    def published(self) -> Published:
        """The document now; made of what is known when nothing was fetched or recalled yet."""
        if self._published is None:
            self._published = self._merge()
        return self._published

    @asynccontextmanager
    async def running(self, _application: object = None) -> AsyncIterator[None]:
        """Begin with what is kept, and refresh in the background as long as the block lasts."""
        await self._recall()
        task = asyncio.create_task(self._keep_fresh(), name="documents")
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def refresh(self) -> None:
        """Ask every service once, and publish what changed."""
        stale, now = dict(self._stale), datetime.now(UTC)
        asked = await asyncio.gather(*(self._fetch(service) for service in self._upstreams))
        fetched = {name: Copy(each, now) for name, each in zip(self._upstreams, asked, strict=True) if each is not None}
        changed: dict[str, Copy] = {}
        for service, copy in fetched.items():
            self._unheard.discard(service)
            self._stale.pop(service, None)
            known = self._copies.get(service)
            if known is None or known.document != copy.document:
                changed[service] = copy
                unrouted = sum(
                    path.startswith("/v1/") and not self._is_public(path, service) for path in copy.document["paths"]
                )
                log.info("document_fetched", extra={"upstream_id": service, "unrouted_paths": unrouted})
            self._copies[service] = copy
        if changed or stale != self._stale or self._published is None:
            self._publish(await asyncio.to_thread(self._merge))  # tens of milliseconds
        if changed:
            await self._keep(changed)

    async def _recall(self) -> None:
        try:
            self._copies = {
                service: copy
                for service, copy in (await recall(self._database)).items()
                if service in self._upstreams and await asyncio.to_thread(self._can_be_merged, copy.document, service)
            }
        except Exception:  # whatever keeps the database from answering, the services are asked in a moment
            log.exception("documents_not_recalled")
        self._publish(await asyncio.to_thread(self._merge))

    def _publish(self, published: Published) -> None:
        self._published = published
        self.endings[:], self.unrecorded[:] = published.endings, published.unrecorded

    async def _keep(self, changed: Mapping[str, Copy]) -> None:
        try:
            await keep(self._database, changed)
        except Exception:  # they are kept when they change again, or from the next start on
            log.exception("documents_not_kept")

    async def _keep_fresh(self) -> None:
        while True:
            await self.refresh()
            await asyncio.sleep(SOON_SECONDS if self._unheard else REFRESH_SECONDS)

    async def _fetch(self, service: str) -> Document | None:
        upstream = self._upstreams[service]
        try:
            answer = await fetch(upstream, PATH, host=self._host, timeouts=_TIMEOUTS, max_bytes=LARGEST, unheeded=True)
            return await asyncio.to_thread(self._read, service, answer)
        except (ForwardingFailure, orjson.JSONDecodeError) as error:
            reason = error.reason if isinstance(error, ForwardingFailure) else "not_json"
            if self._stale.get(service) != reason:
                log.warning("document_stale", extra={"upstream_id": service, "reason": reason})
            self._stale[service] = reason
            return None

    def _read(self, service: str, answer: Fetched) -> Document:
        content = orjson.loads(answer.body) if answer.status == 200 else None
        if self._can_be_merged(content, service):
            return content
        raise AnswerBroken("not an OpenAPI document")

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
        etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
        problems = problems_of([*documents.values(), own])
        paths = document["paths"]
        return Published(body, packed(body), etag, endings_of(paths), unrecorded_of(paths), problems)

    def _fetched_at(self, service: str) -> str | None:
        copy = self._copies.get(service)
        return copy.fetched_at.isoformat(timespec="seconds") if copy is not None else None

    def _can_be_merged(self, document: object, service: str) -> TypeGuard[Document]:
        try:
            if not is_document(document):
                return False
            endings_of(merge({service: document}, self._is_public)["paths"])
            problems_of([document])
        except (TypeError, AttributeError, KeyError, ValueError):
            return False
        return True

    def _is_public(self, path: str, service: str) -> bool:
        try:
            route = self._routes.find(path.encode())
        except OddPath:
            return False
        return route is not None and (route.service or "gateway") == service
