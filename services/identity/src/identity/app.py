"""Identity, put together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from contracts.identity import IdentityAuditCheckpointedV1
from database import utc_now
from identity.account_lists.routes import router as account_lists_router
from identity.accounts.routes import router as accounts_router
from identity.assistance.routes import router as assistance_router
from identity.clients.first_party import admit
from identity.clients.routes import router as clients_router
from identity.confirmation.routes import router as confirmation_router
from identity.credentials.passwords import Passwords, hasher
from identity.deactivation.routes import router as deactivation_router
from identity.devices.pages import router as device_page_router
from identity.devices.routes import router as devices_router
from identity.factors.passkeys.routes import router as passkeys_router
from identity.factors.totp.routes import router as totp_router
from identity.first_start import prepare
from identity.grants import GRANTS
from identity.oauth.consent_page import router as consent_page_router
from identity.oauth.consent_routes import router as consents_router
from identity.oauth.end_session import router as end_session_router
from identity.oauth.introspection import router as introspection_router
from identity.oauth.provider import keep_tokens_out_of_logs
from identity.oauth.revocation import router as revocation_router
from identity.oauth.routes import router as oauth_router
from identity.oauth.token_routes import token_routes
from identity.objections.pages import router as objection_router
from identity.own_account.routes import router as own_accounts_router
from identity.own_account.security_page import router as security_page_router
from identity.own_account.wechat_routes import router as wechat_router
from identity.phone_replacement.lapses import lapse_of
from identity.phone_replacement.routes import router as phone_replacements_router
from identity.privacy.erasure import tell_erasures
from identity.privacy.routes import router as privacy_router
from identity.problems import PROBLEMS
from identity.purposes.routes import router as consent_to_purposes_router
from identity.recovery.pages import router as recovery_pages_router
from identity.recovery.routes import router as recoveries_router
from identity.roles.routes import router as roles_router
from identity.sessions.pages import router as sessions_page_router
from identity.sessions.routes import router as sessions_router
from identity.sessions.sign_ins import SIGNED_IN
from identity.settings import Settings
from identity.shared import IdentityShared, TokenParties
from identity.sign_in.by_code import router as sign_in_by_code_router
from identity.sign_in.by_passkey import router as passkey_page_router
from identity.sign_in.by_password import router as sign_in_router
from identity.sign_in.by_wechat import router as wechat_page_router
from identity.sign_in.file_phone import router as file_phone_router
from identity.sign_in.first_password import router as first_password_router
from identity.sign_in.own_account import router as own_account_page_router
from identity.sign_in.second_factor import router as second_factor_router
from identity.signing.keys import SigningKeys
from identity.signing.rotation import RotateKeys
from identity.throttling.addresses import parse_networks
from identity.ways_in import ways_in
from identity.witness import WITNESS
from identity.worker import CONSUMERS, JOBS, OWN_DATA, TOLD, opened
from service import Service
from webapi import Application


def _prepared(application: Application, settings: Settings) -> None:
    """Give the routes what they share; makes at the start what the first request needs."""
    keep_tokens_out_of_logs()
    shared = application.state.identity = IdentityShared(
        database=application.database,
        keys=SigningKeys(settings.ring),
        passwords=Passwords(threads=settings.password_threads, hasher=hasher(settings.password_memory)),
        parties=TokenParties(settings.issuer, settings.audience),
        ring=settings.ring,
        phone_ring=settings.phone_ring,
        proxies=parse_networks(settings.trusted_proxies),
        codes_per_address=settings.codes_per_address,
        failures_per_address=settings.failures_per_address,
        sign_in=application.authenticator.accepting_also(settings.issuer),
        ways_in=ways_in(wechat=settings.wechat is not None),
        lapses=(lapse_of,),
        wechat=settings.wechat,
    )
    application.admit = admit
    bootstrap = settings.bootstrap_password

    @asynccontextmanager
    async def running(_: Application) -> AsyncIterator[None]:
        try:
            await prepare(
                shared.database,
                shared.passwords,
                shared.keys,
                issuer=settings.issuer,
                bootstrap_password=bootstrap.get_secret_value() if bootstrap else None,
                now=utc_now(),
            )
            yield
        finally:
            shared.passwords.close()

    application.hooks.append(running)


SERVICE = Service(
    name="identity",
    waits_for_recovery=True,  # ended sessions and roles come back first
    answers_meanwhile=("/oauth2/jwks",),
    title="Identity",
    description="Who is acting, for whom, and may they.",
    settings=Settings,
    routers=(
        token_routes(GRANTS),
        oauth_router,
        introspection_router,
        revocation_router,
        end_session_router,
        clients_router,
        devices_router,
        device_page_router,
        consent_page_router,
        consents_router,
        sign_in_router,
        sign_in_by_code_router,
        first_password_router,
        file_phone_router,
        own_account_page_router,
        totp_router,
        passkeys_router,
        wechat_router,
        second_factor_router,
        passkey_page_router,
        wechat_page_router,
        security_page_router,
        recovery_pages_router,
        objection_router,
        recoveries_router,
        phone_replacements_router,
        accounts_router,
        account_lists_router,
        own_accounts_router,
        deactivation_router,
        confirmation_router,
        sessions_router,
        sessions_page_router,
        roles_router,
        assistance_router,
        consent_to_purposes_router,
        privacy_router,
    ),
    problems=PROBLEMS,
    own_data=OWN_DATA,
    consumers=CONSUMERS,
    checkpoints=IdentityAuditCheckpointedV1,
    jobs=JOBS,
    told=TOLD,
    witness=WITNESS,
    own_actions=(SIGNED_IN,),
    tasks={"tell-erasures": tell_erasures, "rotate-keys": RotateKeys()},
    extended=_prepared,
    opened=opened,
)
