"""Identity, put together."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from contracts.identity import IdentityAuditCheckpointedV1
from database import utc_now
from identity.accounts.commands import AccountExists, UsernameTaken
from identity.accounts.deactivation_routes import router as deactivation_router
from identity.accounts.own_routes import router as own_accounts_router
from identity.accounts.routes import router as accounts_router
from identity.assistance.routes import router as assistance_router
from identity.auditing.sign_ins import SIGNED_IN
from identity.auditing.witnessing import WITNESS
from identity.challenges.commands import CodeRefused
from identity.clients.problems import PROBLEMS as CLIENTS_PROBLEMS
from identity.clients.routes import router as clients_router
from identity.credentials.hashing import Passwords, TooManySignIns
from identity.credentials.rules import (
    PasswordTooCommon,
    PasswordUnchanged,
    PasswordUnusable,
    PasswordWrong,
    UsernameUnusable,
)
from identity.devices.pages import router as device_page_router
from identity.devices.routes import router as devices_router
from identity.factors import wiring as factors
from identity.first_start import prepare
from identity.oauth.consent_page import router as consent_page_router
from identity.oauth.consent_routes import router as consents_router
from identity.oauth.consents import ConsentUnknown
from identity.oauth.end_session import router as end_session_router
from identity.oauth.introspection import router as introspection_router
from identity.oauth.provider import keep_tokens_out_of_logs
from identity.oauth.revocation import router as revocation_router
from identity.oauth.routes import router as oauth_router
from identity.parts import IdentityParts, Place
from identity.phone_replacement.problems import PROBLEMS as PHONE_REPLACEMENT_PROBLEMS
from identity.phone_replacement.routes import router as phone_replacements_router
from identity.phones import PhoneTaken, PhoneUnusable
from identity.privacy.consent_routes import router as consent_to_purposes_router
from identity.privacy.erasure import tell_erasures
from identity.privacy.problems import ASSISTANCE_PROBLEMS, PRIVACY_PROBLEMS
from identity.privacy.routes import router as privacy_router
from identity.recovery.objecting import router as objection_router
from identity.recovery.pages import router as recovery_pages_router
from identity.recovery.routes import router as recoveries_router
from identity.recovery.rules import AlreadyApproved, OwnRecovery, RecoveryOver, RecoveryUnknown
from identity.roles.problems import PROBLEMS as ROLES_PROBLEMS
from identity.roles.routes import router as roles_router
from identity.sessions.pages import router as sessions_page_router
from identity.sessions.problems import PROBLEMS as SESSIONS_PROBLEMS
from identity.sessions.revoking import AccountUnknown
from identity.sessions.routes import router as sessions_router
from identity.settings import Settings
from identity.sign_in.by_code import router as sign_in_by_code_router
from identity.sign_in.first_password import router as first_password_router
from identity.sign_in.routes import router as sign_in_router
from identity.signing.keys import SigningKeys
from identity.signing.rotation import RotateKeys
from identity.throttling.addresses import parse_networks
from identity.throttling.rates import TooOften
from identity.worker import CONSUMERS, JOBS, OWN_DATA, opened
from service import Service
from webapi import NOT_FOUND, Application, Problem, read_settings

PROBLEMS: Mapping[type[Exception], Problem] = {
    **factors.PROBLEMS,
    ConsentUnknown: NOT_FOUND,
    **ROLES_PROBLEMS,
    **ASSISTANCE_PROBLEMS,
    **PRIVACY_PROBLEMS,
    **CLIENTS_PROBLEMS,
    **SESSIONS_PROBLEMS,
    **PHONE_REPLACEMENT_PROBLEMS,
    AccountExists: Problem(409, "account_exists", "This person has an account already.", "此人已有账号。"),
    UsernameTaken: Problem(409, "username_taken", "This user name is taken.", "此用户名已被使用。"),
    UsernameUnusable: Problem(
        422,
        "username_unusable",
        "A user name has 3 to 64 letters, digits, dots, hyphens or underscores.",
        "用户名须为 3 至 64 个汉字、字母、数字、点、连字符或下划线。",
    ),
    PasswordUnusable: Problem(
        422,
        "password_unusable",
        "A password has 8 to 128 characters and is not the user name.",
        "密码须为 8 至 128 个字符，且不能与用户名相同。",
    ),
    PasswordTooCommon: Problem(
        422,
        "password_too_common",
        "This password is too common and easily guessed.",
        "此密码太常见，容易被猜到。",
    ),
    PasswordUnchanged: Problem(
        422, "password_unchanged", "Choose another password than the present one.", "新密码不能与原密码相同。"
    ),
    PasswordWrong: Problem(422, "password_wrong", "The present password is another one.", "原密码不正确。"),
    PhoneUnusable: Problem(
        422, "phone_unusable", "Give a mainland mobile number of 11 digits.", "请填写 11 位大陆手机号。"
    ),
    PhoneTaken: Problem(
        409,
        "phone_taken",
        "This number belongs to another account; a number can belong to one person alone, in a family too.",
        "此手机号已属于另一个账号；一个手机号只能归一人使用，家人共用的手机也是如此。",
    ),
    CodeRefused: Problem(422, "code_refused", "The code is wrong or not valid any more.", "验证码不正确或已失效。"),
    TooOften: Problem(
        429, "too_often", "Too often; try again later.", "操作太频繁，请稍后再试。", ("retry_after_seconds",)
    ),
    RecoveryUnknown: NOT_FOUND,
    OwnRecovery: Problem(
        403, "own_recovery", "Nobody approves the recovery of their own account.", "不能同意找回自己的账号。"
    ),
    AlreadyApproved: Problem(
        409, "already_approved", "You agreed already; it takes another officer.", "您已同意，须由另一名工作人员同意。"
    ),
    RecoveryOver: Problem(409, "recovery_over", "This recovery is not open to approval.", "此找回申请不在待同意状态。"),
    TooManySignIns: Problem(
        503, "too_many_sign_ins", "Many people are signing in; try again.", "现在登录的人很多，请稍后再试。"
    ),
    AccountUnknown: Problem(422, "account_unknown", "This person has no account.", "此人没有账号。"),
}


def _prepared(application: Application, settings: Settings) -> None:
    """Give the routes what they share; makes at the start what the first request needs."""
    keep_tokens_out_of_logs()
    parts = application.state.identity = IdentityParts(
        database=application.database,
        keys=SigningKeys(settings.ring),
        passwords=Passwords(threads=settings.password_threads),
        place=Place(settings.issuer, settings.audience),
        ring=settings.ring,
        proxies=parse_networks(settings.trusted_proxies),
        codes_per_address=settings.codes_per_address,
        failures_per_address=settings.failures_per_address,
        sign_in=application.authenticator.accepting_also(settings.issuer),
        wechat=factors.wechat_of(settings),
    )
    bootstrap = settings.bootstrap_password

    @asynccontextmanager
    async def running(_: Application) -> AsyncIterator[None]:
        try:
            await prepare(
                parts.database,
                parts.passwords,
                parts.keys,
                issuer=settings.issuer,
                bootstrap_password=bootstrap.get_secret_value() if bootstrap else None,
                now=utc_now(),
            )
            yield
        finally:
            parts.passwords.close()

    application.hooks.append(running)


SERVICE = Service(
    name="identity",
    title="Identity",
    description="Who is acting, for whom, and may they.",
    settings=Settings,
    routers=(
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
        *factors.ROUTERS,
        recovery_pages_router,
        objection_router,
        recoveries_router,
        phone_replacements_router,
        accounts_router,
        own_accounts_router,
        deactivation_router,
        sessions_router,
        sessions_page_router,
        roles_router,
        assistance_router,
        consent_to_purposes_router,
        privacy_router,
    ),
    problems=(PROBLEMS,),
    own_data=OWN_DATA,
    consumers=CONSUMERS,
    checkpoints=IdentityAuditCheckpointedV1,
    jobs=JOBS,
    witness=WITNESS,
    own_actions=(SIGNED_IN,),
    tasks={"tell-erasures": tell_erasures, "rotate-keys": RotateKeys(lambda: read_settings(Settings).ring)},
    extended=_prepared,
    opened=opened,
)
