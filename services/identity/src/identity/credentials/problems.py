"""The refusals about usernames and passwords as problem details: part of identity's table."""

from collections.abc import Mapping

from identity.credentials.passwords import TooManySignIns
from identity.credentials.rules import (
    PasswordTooCommon,
    PasswordUnchanged,
    PasswordUnusable,
    PasswordWrong,
    UsernameUnusable,
)
from webapi import Problem

PROBLEMS: Mapping[type[Exception], Problem] = {
    UsernameUnusable: Problem(
        422,
        "username_unusable",
        "A user name has 3 to 64 letters, digits, dots, hyphens or underscores, and is no phone or identity number.",
        "用户名须为 3 至 64 个汉字、字母、数字、点、连字符或下划线，且不能是手机号或身份证号。",
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
    TooManySignIns: Problem(
        503, "too_many_sign_ins", "Many people are signing in; try again.", "现在登录的人很多，请稍后再试。"
    ),
}
