"""Identity numbers of residents: form, date, check character (GB 11643-1999, ISO 7064 MOD 11-2); no I/O, no clock."""

import re
from datetime import date

_FORM = re.compile(r"[1-9][0-9]{5}(?:18|19|20)[0-9]{9}[0-9X]")
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK_CHARACTERS = "10X98765432"


class WrongIdNumber(Exception):
    """An identity number is not one; `requirement` names what is wrong (`form`, `birth_date` or `check_digit`)."""

    def __init__(self, requirement: str, *, zh: str, en: str) -> None:
        super().__init__(f"id_number: {requirement}")
        self.requirement = requirement
        self.zh = zh
        self.en = en


def birth_date_of(id_number: str, today: date) -> date:
    """Give the birth date in an identity number in normal form; raises `WrongIdNumber` when it is not valid."""
    if not _FORM.fullmatch(id_number):
        raise WrongIdNumber("form", zh="身份证号应为18位", en="An identity number has 17 digits and a digit or X")
    try:
        born = date(int(id_number[6:10]), int(id_number[10:12]), int(id_number[12:14]))
    except ValueError:
        born = None
    if born is None or born > today:
        raise WrongIdNumber("birth_date", zh="身份证号中的出生日期无效", en="The birth date in it does not exist")
    total = sum(int(digit) * weight for digit, weight in zip(id_number[:17], _WEIGHTS, strict=True))
    if id_number[17] != _CHECK_CHARACTERS[total % 11]:
        raise WrongIdNumber("check_digit", zh="身份证号校验码不符", en="The check character does not match")
    return born
