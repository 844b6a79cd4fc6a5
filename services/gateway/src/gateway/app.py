"""The HTTP application of the gateway: what it answers itself, behind what it forwards."""

from starlette.types import ASGIApp

import messaging
import orgtree
from gateway.documents.document import MergedDocument
from gateway.documents.pages import DocumentPages
from gateway.forwarding.edge import EdgeProtocol
from gateway.forwarding.forwarder import Forwarder
from gateway.forwarding.pool import Upstream
from gateway.forwarding.routing import public_routes
from gateway.home.routes import router as home_router
from gateway.overview.routes import router as overview_router
from gateway.settings import Settings
from webapi import NOT_FOUND, Application, Authenticator, Problem, create_app, open_database

PROBLEMS: dict[type[Exception], Problem] = {orgtree.OutsideScope: NOT_FOUND}


def create_application(settings: Settings) -> Application:
    """Compose the application and the door in front of it."""
    database = open_database("gateway", settings)
    nats = messaging.NatsConnection(settings.nats_url, name="gateway-api")
    authenticator = Authenticator(settings.jwks_url, settings.issuer, settings.audience)
    upstreams = {service: Upstream(service, url) for service, url in settings.upstreams.items()}
    routes = public_routes()

    def door(behind: ASGIApp) -> ASGIApp:
        return Forwarder(
            DocumentPages(behind, document),
            routes=routes,
            upstreams=upstreams,
            authenticator=authenticator,
            public_url=settings.issuer,
        )

    application = create_app(
        "gateway",
        title="Gateway",
        description="One door: home, overview, and the way to every service.",
        settings=settings,
        database=database,
        routers=[home_router, overview_router],
        problems=PROBLEMS,
        scope_resolver=orgtree.Permissions(database).scopes,
        checks={"nats": nats.ping},
        hooks=[nats.kept],
        authenticator=authenticator,
        front=door,
        http_protocol=EdgeProtocol,
    )
    document = MergedDocument(upstreams, routes, application.openapi, public_url=settings.issuer)
    application.hooks.append(document.running)
    return application
