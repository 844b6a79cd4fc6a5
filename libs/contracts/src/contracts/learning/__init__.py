"""Events of learning: what there is to learn, how far people came, and where they ask for help."""

from contracts.audit import LearningAuditCheckpointedV1 as LearningAuditCheckpointedV1
from contracts.learning.course import *
from contracts.learning.lesson_study import *
