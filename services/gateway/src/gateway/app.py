"""The HTTP application of the gateway: what it answers itself, behind what it forwards."""

from starlette.types import ASGIApp

import audit.routes
import messaging
import orgtree
import privacy
from audit.assisted import record_assisted
from gateway import own_data
from gateway.access_log.gathering import AccessLogs
from gateway.access_log.routes import router as access_log_router
from gateway.documents.document import MergedDocument
from gateway.documents.pages import DocumentPages
from gateway.exporting.gathering import Gathering, PartsMissing, PartTooLarge, TooManyArchives
from gateway.exporting.routes import router as exporting_router
from gateway.forwarding.asking import Asking
from gateway.forwarding.edge import EdgeProtocol
from gateway.forwarding.forwarder import Forwarder
from gateway.forwarding.pool import Upstream
from gateway.forwarding.proxies import behind_proxies
from gateway.forwarding.routing import public_routes
from gateway.home.routes import router as home_router
from gateway.overview.routes import router as overview_router
from gateway.quotas.buckets import Quotas
from gateway.settings import Settings
from webapi import NOT_FOUND, Application, Authenticator, Problem, create_app, heed_revocations, open_database

PROBLEMS: dict[type[Exception], Problem] = {
    orgtree.OutsideScope: NOT_FOUND,
    PartsMissing: Problem(
        409,
        "export_not_ready",
        "Not all services have composed their part yet.",
        "部分服务的数据尚未汇集完成。",
        ("parts",),
    ),
    PartTooLarge: Problem(
        409,
        "part_too_large",
        "One service knows more than fits into the file; ask the administrators for it.",
        "某项服务的数据过多，无法放入文件；请联系管理员获取。",
        ("service",),
    ),
    TooManyArchives: Problem(
        503,
        "too_many_archives",
        "Other people's files are being put together just now; try again in a moment.",
        "正在为其他人汇集数据，请稍后再试。",
    ),
}


def create_application(settings: Settings) -> Application:
    """Compose the application and the door in front of it."""
    database = open_database("gateway", settings)
    nats = messaging.NatsConnection(settings.nats_url, name="gateway-api")
    authenticator = Authenticator(settings.jwks_url, settings.issuer, settings.audience)
    upstreams = {service: Upstream(service, url) for service, url in settings.upstreams.items()}
    routes = public_routes()
    parts = privacy.Parts("gateway", own_data.compose)
    quotas = Quotas(settings.client_requests_per_minute)

    def door(behind: ASGIApp) -> ASGIApp:
        forwarder = Forwarder(
            DocumentPages(behind, document),
            routes=routes,
            upstreams=upstreams,
            authenticator=authenticator,
            public_url=settings.issuer,
            quotas=quotas,
        )
        opened: ASGIApp = behind_proxies(forwarder, settings.trusted_proxies)
        return opened

    application = create_app(
        "gateway",
        title="Gateway",
        description="One door: home, overview, and the way to every service.",
        settings=settings,
        database=database,
        routers=[
            exporting_router,
            access_log_router,
            audit.routes.router("gateway"),
            home_router,
            overview_router,
        ],
        problems=PROBLEMS,
        scope_resolver=orgtree.Permissions(database).scopes,
        record_assisted=record_assisted,
        checks={"nats": nats.ping, "quotas": quotas.check},
        hooks=[nats.kept, heed_revocations(messaging.Tail(nats))],
        authenticator=authenticator,
        front=door,
        http_protocol=EdgeProtocol,
    )
    asking = Asking(upstreams, public_url=settings.issuer)
    application.state.gathering = Gathering(asking, parts)
    application.state.access_logs = AccessLogs(asking)
    document = MergedDocument(upstreams, routes, application.openapi, public_url=settings.issuer)
    application.hooks += [document.running, quotas.kept(database)]
    return application
