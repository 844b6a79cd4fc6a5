"""How the refusals about member files are answered."""

from members.files.revision import BaseUnknown, FileUnknown, StaleFile
from members.files.rules.changes import NotForOneself
from members.files.rules.purposes import PurposeMissing
from webapi import NOT_FOUND, Problem

PROBLEMS: dict[type[Exception], Problem] = {
    FileUnknown: NOT_FOUND,
    BaseUnknown: Problem(422, "base_unknown", "The file has no such version.", "档案没有该版本。"),
    StaleFile: Problem(409, "stale", "The file was changed since.", "档案在此期间已被更改。", ("version", "conflicts")),
    PurposeMissing: Problem(
        422,
        "purpose_missing",
        "Say by `purpose` what the file is read for; its person will see it.",
        "请以 purpose 说明用途,档案本人可以看到。",
    ),
    NotForOneself: Problem(
        403,
        "not_for_oneself",
        "People change their own phone number, and whether they are away or have a smartphone; no more.",
        "本人只能修改联系电话、外出情况和智能手机使用情况。",
    ),
}
