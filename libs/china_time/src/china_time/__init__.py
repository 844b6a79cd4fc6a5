"""Days and points in time of China, and the days on which people work there (`china_time.working_days`)."""

from china_time.days import CHINA, Day, Moment, day_of, first_moment_after, last_second_of

__all__ = ["CHINA", "Day", "Moment", "day_of", "first_moment_after", "last_second_of"]
