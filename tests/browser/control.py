"""What the program in the browser asks for: people who own this or that, and the codes that reached their phones."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import httpx
import pyotp
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from channels import code_of
from database import new_id, raw
from orgtree import ROOT_ID
from standalone.seed.sign_in import SignedIn
from testkit.listening import listener
from testkit.sms import SmsGateway
from tests.outside.system import PASSWORD, OutsideSystem

_NUMBERS = itertools.count(1)
_PATIENCE_SECONDS = 15


class Control:
    """Answers the program over HTTP, on loopback alone."""

    def __init__(self, system: OutsideSystem, gateway: SmsGateway) -> None:
        self._system = system
        self._gateway = gateway

    async def person(self, request: Request) -> JSONResponse:
        """Open a person with a phone of their own, or with a password alone, with an app or as an officer, as asked.

        A beginner has not chosen the password yet; an unproven one has yet to prove that the account is theirs.
        """
        person_id, username = await self._system.open_person(chosen="beginner" not in request.query_params)
        if "unproven" in request.query_params:
            async with self._system.database.transaction() as session:
                waits = "update account set proven_at = null where account_id = $1"
                await (await raw(session)).execute(waits, person_id)
        if "officer" in request.query_params:
            await self._system.grant(person_id, "officer")
        if "app" in request.query_params:
            await self._set_up_app(username)
        opened = {"username": username, "password": PASSWORD}
        if "password_alone" not in request.query_params:
            opened["phone"] = f"138{next(_NUMBERS):08}"
            await self._system.put_phone(
                person_id, f"+86{opened['phone']}"
            )  # last: else an app takes a code to it first
        return JSONResponse(opened)

    async def code(self, request: Request) -> JSONResponse:
        """Wait for the code that reaches a phone."""
        async with asyncio.timeout(_PATIENCE_SECONDS):
            while True:
                for message in reversed(self._gateway.messages_to(f"+86{request.query_params['phone']}")):
                    if message.template.startswith("code"):
                        return JSONResponse({"code": message.parameters[0]})
                await asyncio.sleep(0.05)

    async def own_code(self, request: Request) -> JSONResponse:
        """Answer for members a request for an own account; give the code that comes to the phone."""
        person_id = (await self._system.open_person())[0] if "there" in request.query_params else new_id()
        async with self._system.database.transaction() as session:
            connection = await raw(session)
            affiliated = "insert into affiliation (person_id, organisation_id, version) values ($1, $2, 1)"
            await connection.execute(affiliated, person_id, ROOT_ID)
            proof_id = UUID(request.query_params["proof"])
            answered = "update phone_proof set person_id = $1 where proof_id = $2"
            await connection.execute(answered, person_id, proof_id)
        return JSONResponse({"code": code_of(self._system.ring, proof_id)})

    async def app_code(self, request: Request) -> JSONResponse:
        """Give what an authenticator app with this secret shows."""
        secret = "".join(request.query_params["secret"].split())
        return JSONResponse({"code": pyotp.TOTP(secret).now()})

    async def _set_up_app(self, username: str) -> None:
        headers = await SignedIn(self._system.url, username, PASSWORD).headers()
        async with httpx.AsyncClient(base_url=self._system.url, headers=headers, trust_env=False) as http:
            begun = (await http.post("/v1/me/totp")).raise_for_status().json()
            code = pyotp.TOTP(begun["secret"]).now()
            (await http.post("/v1/me/totp/confirm", json={"code": code})).raise_for_status()


@asynccontextmanager
async def controlled(system: OutsideSystem, gateway: SmsGateway) -> AsyncIterator[str]:
    """Serve the control for the length of the block and give its address."""
    control = Control(system, gateway)
    routes = [
        Route("/person", control.person, methods=["POST"]),
        Route("/code", control.code),
        Route("/app-code", control.app_code),
        Route("/own-code", control.own_code),
    ]
    with listener() as listening:
        server = uvicorn.Server(uvicorn.Config(Starlette(routes=routes), log_config=None, access_log=False))
        serving = asyncio.create_task(server.serve([listening]))
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            await serving
