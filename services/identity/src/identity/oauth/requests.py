"""What authlib sees of an HTTP request: its parameters, already read and bounded, at the provider's public address."""

from collections.abc import Sequence

from authlib.oauth2.rfc6749 import OAuth2Request
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload

from identity.oauth.proofs import Proof
from identity.pages.requests import Parameters


class ProviderRequest(OAuth2Request):  # type: ignore[misc]  # authlib has no types
    """A request to one of the provider's endpoints.

    `uri` is the endpoint's public address: behind the gateway the request itself arrives in the clear, and authlib
    would refuse it. `proofs` are its `DPoP` headers, `proof` what they prove, once they were read.
    """

    proof: Proof | None = None

    def __init__(
        self,
        method: str,
        uri: str,
        parameters: Parameters,
        *,
        authorization: str | None = None,
        proofs: Sequence[str] = (),
    ) -> None:
        super().__init__(method, uri, headers={"Authorization": authorization} if authorization else {})
        self.payload = BasicOAuth2Payload(parameters)
        self.proofs = proofs

    @property
    def form(self) -> Parameters:
        """Give the parameters of the body."""
        parameters: Parameters = self.payload.data
        return parameters
