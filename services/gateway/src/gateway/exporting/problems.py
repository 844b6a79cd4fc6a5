"""How the refusals about one's own data are answered."""

from gateway.exporting.collector import NoExportYet, PartsMissing, PartTooLarge, TooManyArchives
from webapi import Problem

PROBLEMS: dict[type[Exception], Problem] = {
    NoExportYet: Problem(
        404,
        "no_export_yet",
        "There is no export yet: POST /v1/me/exports starts one.",
        "尚无导出；请先 POST /v1/me/exports 发起导出。",
    ),
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
