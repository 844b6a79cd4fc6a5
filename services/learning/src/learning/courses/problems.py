"""How the refusals about courses and lessons are answered."""

from learning.courses.commands import CourseIdTaken, CourseUnknown, LessonIdTaken
from learning.courses.queries import LessonUnknown
from learning.courses.rules import EditionOutOfOrder, LessonEmpty, LessonTwice
from webapi import NOT_FOUND, Problem

PROBLEMS: dict[type[Exception], Problem] = {
    CourseUnknown: NOT_FOUND,
    LessonUnknown: NOT_FOUND,
    CourseIdTaken: Problem(
        409,
        "course_id_taken",
        "This id belongs to another course, or this edition has other content.",
        "该编号已用于另一门课程,或该版次内容不同。",
    ),
    LessonIdTaken: Problem(
        409, "lesson_id_taken", "This id belongs to a lesson elsewhere.", "该编号已用于其他课程的课时。"
    ),
    EditionOutOfOrder: Problem(
        409, "edition_out_of_order", "Editions follow one another.", "版次须依次发布。", ("expected",)
    ),
    LessonTwice: Problem(422, "lesson_twice", "A lesson stands there twice.", "同一课时出现了两次。"),
    LessonEmpty: Problem(
        422,
        "lesson_empty",
        "A lesson lacks its content: a text its body, audio and video their url, a quiz one of the two.",
        "课时缺少内容:文字须有正文,音视频须有链接,测验须有其一。",
        ("position",),
    ),
}
