"""The gateway, put together: what it answers itself, behind what it forwards."""

from starlette.types import ASGIApp

from contracts.gateway import GatewayAuditCheckpointedV1
from gateway.access_log.routes import router as access_log_router
from gateway.access_log.sources import AccessLogs
from gateway.changes.live import Live
from gateway.changes.routes import router as changes_router
from gateway.documents.document import MergedDocument
from gateway.documents.pages import DocumentPages
from gateway.exporting import problems as exporting
from gateway.exporting.collector import Collector
from gateway.exporting.routes import router as exporting_router
from gateway.forwarding.asking import Asking
from gateway.forwarding.crowd import Crowd, room_for_connections
from gateway.forwarding.edge import edge
from gateway.forwarding.forwarder import Forwarder
from gateway.forwarding.proxies import behind_proxies
from gateway.forwarding.routing import public_routes
from gateway.forwarding.slow_clients import Patience
from gateway.forwarding.upstream import Upstream
from gateway.home.routes import router as home_router
from gateway.overview.routes import router as overview_router
from gateway.portal.serving import PortalPages
from gateway.quotas.bucket import Rate
from gateway.quotas.buckets import REFUSED, Quotas
from gateway.quotas.keeping import kept
from gateway.rebuilding import mend_rollups, rebuild_changes, rebuild_home, rebuild_overview
from gateway.settings import Settings
from gateway.subjects.reading import Subjects
from gateway.supervision.routes import router as supervision_router
from gateway.supervision.watching import Watch
from gateway.sync.routes import router as sync_router
from gateway.worker import CONSUMERS, JOBS, OWN_DATA, opened
from service import Service
from webapi import Application


def _open_the_door(application: Application, settings: Settings) -> None:
    """Put the door in front of the application, and give this what asks the other services."""
    upstreams = {service: Upstream(service, url) for service, url in settings.upstreams.items()}
    routes = public_routes()
    quotas = Quotas(
        settings.client_requests_per_minute,
        person=Rate(settings.person_requests_per_minute, settings.person_requests_at_once),
        address=Rate(settings.address_requests_per_minute, settings.address_requests_per_minute // 2),
        refused=Rate(REFUSED.per_minute, settings.person_refused_at_once),
    )
    connections = room_for_connections()
    patience = Patience(rate=settings.least_bytes_per_second, places=min(Patience().places, connections // 2))
    document = MergedDocument(
        upstreams, routes, application.openapi, public_url=settings.issuer, database=application.database
    )

    def door(behind: ASGIApp) -> ASGIApp:
        forwarder = Forwarder(
            PortalPages(DocumentPages(behind, document), settings.portal),
            routes=routes,
            upstreams=upstreams,
            authenticator=application.authenticator,
            public_url=settings.issuer,
            quotas=quotas,
            patience=patience,
            endings=document.endings,
            unrecorded=document.unrecorded,
        )
        opened: ASGIApp = behind_proxies(forwarder, settings.trusted_proxies)
        return opened

    application.front, application.http_protocol = door, edge(patience, Crowd(connections))
    asking = Asking(upstreams, public_url=settings.issuer)
    application.state.asking = asking
    application.state.quotas = quotas
    application.state.collector = Collector(asking, SERVICE.parts(settings))
    application.state.access_logs = AccessLogs(asking)
    application.state.subjects = Subjects(asking)
    watch = Watch(application.state.nats, application.database, upstreams, public_url=settings.issuer)
    application.state.watch = watch
    application.state.live = live = Live(application.database, application.authenticator.revocations)
    application.checks["quotas"] = quotas.check
    application.hooks += [document.running, watch.running, kept(quotas, application.database), live.running]


SERVICE = Service(
    name="gateway",
    title="Gateway",
    description="One door: home, overview, and the way to every service.",
    settings=Settings,
    routers=(
        exporting_router,
        access_log_router,
        changes_router,
        home_router,
        overview_router,
        supervision_router,
        sync_router,
    ),
    problems=(exporting.PROBLEMS,),
    own_data=OWN_DATA,
    consumers=CONSUMERS,
    checkpoints=GatewayAuditCheckpointedV1,
    jobs=JOBS,
    extended=_open_the_door,
    opened=opened,
    serves_part=False,
    tasks={
        "rebuild-overview": rebuild_overview,
        "rebuild-home": rebuild_home,
        "rebuild-changes": rebuild_changes,
        "mend-rollups": mend_rollups,
    },
)
