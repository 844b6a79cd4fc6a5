"""A missing or wrong setting ends the process with one line that says which and what to do, and shows no secret."""

import pytest

from webapi import ServiceSettings, read_settings

GOOD = {
    "XIANGQIAO_DATABASE_URL": "postgresql://orchard:s3cret@127.0.0.1:5432/orchard",
    "XIANGQIAO_NATS_URL": "nats://orchard:s3cret@127.0.0.1:4222,nats://127.0.0.1:4223",
    "XIANGQIAO_ISSUER": "https://portal.example.cn/",
    "XIANGQIAO_JWKS_URL": "http://127.0.0.1:8001/.well-known/jwks.json",
}


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name, value in GOOD.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def test_good_settings_are_read_and_secrets_do_not_show(environment: pytest.MonkeyPatch) -> None:
    settings = read_settings(ServiceSettings)
    assert settings.issuer == "https://portal.example.cn"
    assert (settings.audience, settings.host, settings.port) == ("xiangqiao", "127.0.0.1", 8000)
    assert "s3cret" not in repr(settings)


@pytest.mark.parametrize("name", GOOD)
def test_a_missing_setting_is_one_line_and_exit_code_2(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    environment.delenv(name)
    with pytest.raises(SystemExit) as ended:
        read_settings(ServiceSettings)
    assert ended.value.code == 2
    line = capsys.readouterr().err
    assert line.startswith(f"{name} is not set; set it in the environment (")
    assert line.count("\n") == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("XIANGQIAO_DATABASE_URL", "mysql://root:s3cret@127.0.0.1/x"),
        ("XIANGQIAO_DATABASE_URL", "s3cret"),
        ("XIANGQIAO_NATS_URL", "http://127.0.0.1"),
        ("XIANGQIAO_ISSUER", "portal"),
        ("XIANGQIAO_PORT", "eighty"),
        ("XIANGQIAO_PORT", "70000"),
        ("XIANGQIAO_LOG_LEVEL", "loud"),
        ("XIANGQIAO_TRACE_SAMPLE_RATIO", "2"),
    ],
)
def test_a_wrong_setting_is_one_line_without_its_value(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, value: str
) -> None:
    environment.setenv(name, value)
    with pytest.raises(SystemExit) as ended:
        read_settings(ServiceSettings)
    assert ended.value.code == 2
    line = capsys.readouterr().err
    assert line.startswith(f"{name} is not valid: ")
    assert line.count("\n") == 1
    assert "s3cret" not in line
