"""The phone of a demonstration takes what is signed, shows it to this machine alone, and steps aside for a real one."""

import hashlib
import hmac
import json
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path

import httpx
import pytest

from standalone import demo_phone
from standalone.data_directory import DataDirectory

TEXTS = {"code": {"zh": "验证码 {code}，{minutes} 分钟。", "en": "Code {code}, {minutes} minutes."}}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DataDirectory:
    monkeypatch.delenv("XIANGQIAO_SMS_URL", raising=False)
    monkeypatch.setattr(demo_phone, "texts_of_services", lambda: TEXTS)
    return DataDirectory(tmp_path / "data")


def send(url: str, settings: dict[str, str], *parameters: str, context: str = "1", key: str | None = None) -> str:
    """Send a message as the documentation says and give the gateway's code."""
    now = datetime.now(UTC)
    body = json.dumps({
        "PhoneNumberSet": ["+8613900000001"], "SmsSdkAppId": settings["SMS_APPLICATION"],
        "SignName": settings["SMS_SIGNATURE"], "TemplateId": "code.zh", "TemplateParamSet": parameters,
        "SessionContext": context,
    }).encode()  # fmt: skip
    host, day = url.removeprefix("http://"), f"{now:%Y-%m-%d}"
    lines = f"content-type:application/json\nhost:{host}\n"
    asked = f"POST\n/\n\n{lines}\ncontent-type;host\n{hashlib.sha256(body).hexdigest()}"
    scope = f"{day}/sms/tc3_request"
    signed = f"TC3-HMAC-SHA256\n{int(now.timestamp())}\n{scope}\n{hashlib.sha256(asked.encode()).hexdigest()}"
    derived = f"TC3{key or settings['SMS_TOKEN']}".encode()
    for part in (day, "sms", "tc3_request"):
        derived = hmac.digest(derived, part.encode(), "sha256")
    signature = hmac.digest(derived, signed.encode(), "sha256").hex()
    headers = {
        "Content-Type": "application/json", "X-TC-Action": "SendSms", "X-TC-Version": "2021-01-11",
        "X-TC-Timestamp": str(int(now.timestamp())),
        "Authorization": f"TC3-HMAC-SHA256 Credential={settings['SMS_KEY_ID']}/{scope}, "
        f"SignedHeaders=content-type;host, Signature={signature}",
    }  # fmt: skip
    answer = httpx.post(url, content=body, headers=headers, trust_env=False).json()["Response"]
    code: str = answer["Error"]["Code"] if "Error" in answer else answer["SendStatusSet"][0]["Code"]
    return code


def test_what_is_signed_stands_on_the_page_once(home: DataDirectory) -> None:
    with home.opened(), demo_phone.demo_phone(home) as phone:
        assert phone is not None
        url, settings = phone
        assert settings["SMS_TEMPLATES"] == "code.zh=code.zh,code.en=code.en"
        assert [send(url, settings, "012345", "<5>") for _ in range(2)] == ["Ok", "Ok"]
        assert send(url, settings, "999999", "5", context="2", key="another") == "AuthFailure.SignatureFailure"
        page = httpx.get(url, trust_env=False)
        assert page.text.count("【乡桥】验证码 012345，&lt;5&gt; 分钟。") == 1
        assert "999999" not in page.text
        assert httpx.get(url, headers={"Host": "elsewhere.example"}, trust_env=False).status_code == 421
        port = home.state["demo_phone"]
    with home.opened(), demo_phone.demo_phone(home) as again:
        assert again is not None
        assert again[0].endswith(f":{port}")  # where it was, so that a page left open goes on


def test_a_message_larger_than_any_is_not_taken(home: DataDirectory) -> None:
    with home.opened(), demo_phone.demo_phone(home) as phone:
        assert phone is not None
        connection = HTTPConnection(phone[0].removeprefix("http://"), timeout=10)
        connection.putrequest("POST", "/")
        connection.putheader("Content-Length", str(64 * 1024 + 1))
        connection.endheaders()
        assert connection.getresponse().status == 413
        connection.close()


def test_where_a_real_gateway_is_set_there_is_no_demo_phone(
    home: DataDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XIANGQIAO_SMS_URL", "https://sms.example")
    with home.opened(), demo_phone.demo_phone(home) as phone:
        assert phone is None
        assert home.state["demo_phone"] is None


def test_a_phone_that_nobody_wants_does_not_run(home: DataDirectory) -> None:
    with home.opened(), demo_phone.demo_phone(home, wanted=False) as phone:
        assert phone is None
        assert home.state["demo_phone"] is None
