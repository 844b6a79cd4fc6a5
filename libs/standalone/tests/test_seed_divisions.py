"""The division file is checked row by row, and what is wrong is one line that names file, row and reason."""

import gzip
from pathlib import Path

import pytest

from standalone.seed import DEMO
from standalone.seed.divisions import DIGITS, InvalidDivisions, read_divisions

HEADER = "code,name,level,parent_code"
GOOD = [
    "52,贵州省,province,",
    "5227,黔南布依族苗族自治州,city,52",
    "522731,惠水县,county,5227",
    "522731100,雅水镇,township,522731",
    "522731100201,西瓜村民委员会,village,522731100",
]


def write(folder: Path, rows: list[str], header: str = HEADER) -> Path:
    path = folder / "divisions.csv.gz"
    path.write_bytes(gzip.compress("\n".join([header, *rows]).encode()))
    return path


def refusal(path: Path) -> str:
    with pytest.raises(InvalidDivisions) as caught:
        read_divisions(path)
    line = str(caught.value)
    assert "\n" not in line
    return line


def test_the_real_province_has_nine_cities_and_all_below_them() -> None:
    divisions = read_divisions(DEMO / "divisions-52.csv.gz")
    levels = [row.level for row in divisions.by_code.values()]
    assert {level: levels.count(level) for level in dict.fromkeys(levels)} == {
        "province": 1,
        "city": 9,
        "county": 88,
        "township": 1510,
        "village": 17964,
    }
    assert divisions.province.name == "贵州省"
    village = divisions.children("522731001")[0]
    assert [row.level for row in divisions.chain(village.code)] == list(DIGITS)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("5227311002x1,某村,village,522731100", "row 7: code '5227311002x1' is not 12 digits, as a village has"),
        ("52273110,某镇,township,522731", "row 7: code '52273110' is not 9 digits, as a township has"),
        ("522731100201,某村,village,522731100", "row 7: code 522731100201 is there twice"),
        ("522731100202,,village,522731100", "row 7: the name is empty, padded or longer than 60 characters"),
        (
            "522731100202,某村,hamlet,522731100",
            "row 7: level 'hamlet' is none of province, city, county, township, village",
        ),
        ("522731101202,某村,village,522731101", "row 7: parent_code '522731101' is not among the rows above"),
        ("522731200202,某村,village,522731", "row 7: a village cannot be below a county"),
        ("522732100,某镇,township,522731", "row 7: code 522732100 does not begin with its parent's 522731"),
        ("53,云南省,province,", "row 7: a second province"),
        ("53,云南省,province,52", "row 7: a province has no parent_code"),
        ("522731100202,某村,village", "row 7: 3 columns, expected 4"),
    ],
)
def test_a_wrong_row_is_named_with_its_reason(tmp_path: Path, row: str, reason: str) -> None:
    assert refusal(write(tmp_path, [*GOOD, row])) == f"divisions.csv.gz, {reason}"


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    path = write(tmp_path, GOOD, header="code,name,level")
    assert refusal(path) == "divisions.csv.gz, row 1: column parent_code is missing"


def test_a_damaged_file_says_so_in_one_line(tmp_path: Path) -> None:
    path = write(tmp_path, GOOD)
    whole = path.read_bytes()
    path.write_bytes(whole[:-20])
    assert "damaged or cut off" in refusal(path)
    path.write_bytes(whole[:30] + bytes(byte ^ 0x55 for byte in whole[30:40]) + whole[40:])
    assert refusal(path)
    path.write_bytes(b"no gzip at all")
    assert "cannot be read" in refusal(path)
    path.write_bytes(gzip.compress(b"code,name\xff"))
    assert "is not UTF-8" in refusal(path)


def test_an_absent_and_an_empty_file_say_so(tmp_path: Path) -> None:
    assert "No such file" in refusal(tmp_path / "divisions.csv.gz")
    assert refusal(write(tmp_path, [])) == "divisions.csv.gz: no divisions in it"
