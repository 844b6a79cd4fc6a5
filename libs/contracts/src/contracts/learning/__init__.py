"""Events of learning: what there is to learn, how far people came, and where they ask for help."""

from contracts.audit import LearningAuditCheckpointedV1
from contracts.learning.course import CoursePublishedV1
from contracts.learning.lesson_study import LessonProgressedV1, LessonState, UnderstandingReportedV1

__all__ = [
    "CoursePublishedV1",
    "LearningAuditCheckpointedV1",
    "LessonProgressedV1",
    "LessonState",
    "UnderstandingReportedV1",
]
