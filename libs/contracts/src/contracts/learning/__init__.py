"""Events of learning: what there is to learn, how far people came, and where they ask for help."""

from contracts.audit import LearningAuditCheckpointedV1 as LearningAuditCheckpointedV1
from contracts.learning.course import CoursePublishedV1 as CoursePublishedV1
from contracts.learning.lesson_study import LessonProgressedV1 as LessonProgressedV1
from contracts.learning.lesson_study import LessonState as LessonState
from contracts.learning.lesson_study import UnderstandingReportedV1 as UnderstandingReportedV1
