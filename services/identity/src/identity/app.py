"""The HTTP application of identity."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import messaging
import orgtree
from database import KeyRing, utc_now
from identity.accounts.commands import AccountExists, UsernameTaken
from identity.accounts.passwords import Passwords, TooManySignIns
from identity.accounts.routes import router as accounts_router
from identity.accounts.rules import PasswordUnusable, UsernameUnusable
from identity.first_start import prepare
from identity.oauth.keys import SigningKeys
from identity.oauth.provider import Place, keep_tokens_out_of_logs
from identity.oauth.routes import router as oauth_router
from identity.parts import IdentityParts
from identity.roles.commands import AccountUnknown, AssignmentExists, AssignmentUnknown, RoleUnknown
from identity.roles.routes import router as roles_router
from identity.roles.rules import DaysOutOfOrder, RoleForOneself, TooManyRoles
from identity.settings import Settings
from identity.sign_in.routes import router as sign_in_router
from webapi import NOT_FOUND, Application, Problem, create_app, open_database

PROBLEMS = {
    orgtree.OutsideScope: NOT_FOUND,
    AssignmentUnknown: NOT_FOUND,
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
    TooManySignIns: Problem(
        503, "too_many_sign_ins", "Many people are signing in; try again.", "现在登录的人很多，请稍后再试。"
    ),
    AccountUnknown: Problem(422, "account_unknown", "This person has no account.", "此人没有账号。"),
    AssignmentExists: Problem(409, "assignment_exists", "This id is taken.", "此编号已被使用。"),
    RoleUnknown: Problem(422, "role_unknown", "There is no such role.", "没有此角色。"),
    RoleForOneself: Problem(403, "role_for_oneself", "Nobody grants a role to themselves.", "不能给自己授予角色。"),
    TooManyRoles: Problem(409, "too_many_roles", "This person holds too many roles.", "此人的角色过多。"),
    DaysOutOfOrder: Problem(
        422,
        "days_out_of_order",
        "The role would end before it begins, or is over.",
        "角色的结束日期早于开始日期，或已经过去。",
    ),
}


def create_application(settings: Settings) -> Application:
    """Compose the application; at its start it makes what the first request needs, at its end it frees its threads."""
    keep_tokens_out_of_logs()
    database = open_database("identity", settings)
    nats = messaging.NatsConnection(settings.nats_url, name="identity-api")
    parts = IdentityParts(
        database=database,
        keys=SigningKeys(KeyRing.parse(settings.sealing_key.get_secret_value())),
        passwords=Passwords(threads=settings.password_threads),
        place=Place(settings.issuer, settings.audience),
    )
    bootstrap = settings.bootstrap_password

    @asynccontextmanager
    async def running(_: Application) -> AsyncIterator[None]:
        try:
            await prepare(
                database,
                parts.passwords,
                parts.keys,
                issuer=settings.issuer,
                bootstrap_password=bootstrap.get_secret_value() if bootstrap else None,
                now=utc_now(),
            )
            yield
        finally:
            parts.passwords.close()

    application = create_app(
        "identity",
        title="Identity",
        description="Who is acting, for whom, and may they.",
        settings=settings,
        database=database,
        routers=[oauth_router, sign_in_router, accounts_router, roles_router],
        problems=PROBLEMS,
        scope_resolver=orgtree.Permissions(database).scopes,
        checks={"nats": nats.ping},
        hooks=[nats.kept, running],
    )
    application.state.identity = parts
    return application
