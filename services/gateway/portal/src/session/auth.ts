/** The token endpoint: code and refresh token against access tokens, asked for with a proof of our key (DPoP). */

import * as oauth from "oauth4webapi";
import type { Begun } from "../host.ts";
import type { Kept } from "./vault.ts";

const ORIGIN = location.origin;
const SERVER: oauth.AuthorizationServer = {
  issuer: ORIGIN,
  token_endpoint: `${ORIGIN}/oauth2/token`,
  revocation_endpoint: `${ORIGIN}/oauth2/revoke`,
  authorization_response_iss_parameter_supported: true,
  dpop_signing_alg_values_supported: ["ES256"],
  id_token_signing_alg_values_supported: ["ES256"],
};
const REDIRECT = `${ORIGIN}/app/signed-in`;
/** Plain http is this machine alone: identity runs nowhere else without https. */
const INSECURE = { [oauth.allowInsecureRequests]: location.protocol === "http:" };

export interface Tokens {
  access: string;
  /** Milliseconds since 1970. */
  until: number;
}

const client: oauth.Client = { client_id: "portal" };

/** Redeems the code in the address we came back to. Throws where the sign-in was broken off or is not ours. */
export async function redeem(address: URL, begun: Begun): Promise<{ session: Kept; tokens: Tokens }> {
  const keys = await oauth.generateKeyPair("ES256");
  const answer = oauth.validateAuthResponse(SERVER, client, address, begun.state);
  const result = await withOurClock(async () => {
    const proof = { DPoP: oauth.DPoP(client, keys), ...INSECURE };
    const asked = oauth.authorizationCodeGrantRequest(
      SERVER, client, oauth.None(), answer, REDIRECT, begun.verifier, proof,
    ); // biome-ignore format: one request
    return oauth.processAuthorizationCodeResponse(SERVER, client, await asked, { requireIdToken: true });
  });
  const claims = oauth.getValidatedIdTokenClaims(result);
  if (claims === undefined || !result.refresh_token || !result.id_token) throw new Error("no refresh token was given");
  const session = { sub: claims.sub, refreshToken: result.refresh_token, idToken: result.id_token, keys };
  return { session, tokens: tokensOf(result) };
}

/** Gives new tokens; null when the sign-in has ended. Throws TypeError where there is no network. */
export async function renew(session: Kept): Promise<Tokens | null> {
  try {
    return await withOurClock(async () => {
      const proof = { DPoP: oauth.DPoP(client, session.keys), ...INSECURE };
      const asked = oauth.refreshTokenGrantRequest(SERVER, client, oauth.None(), session.refreshToken, proof);
      return tokensOf(await oauth.processRefreshTokenResponse(SERVER, client, await asked));
    });
  } catch (error) {
    if (error instanceof oauth.ResponseBodyError && error.error === "invalid_grant") return null;
    throw error;
  }
}

/** Ends the refresh token and all that came of it. */
export async function revoke(session: Kept): Promise<boolean> {
  return (await oauth.revocationRequest(SERVER, client, oauth.None(), session.refreshToken, INSECURE)).ok;
}

function tokensOf(result: oauth.TokenEndpointResponse): Tokens {
  return { access: result.access_token, until: Date.now() + (result.expires_in ?? 60) * 1000 };
}

/** Clocks of phones go wrong, and a proof says when it was made: if it is refused, the server's clock is taken. */
async function withOurClock<T>(request: () => Promise<T>): Promise<T> {
  try {
    return await request();
  } catch (error) {
    if (!(error instanceof oauth.ResponseBodyError) || error.error !== "invalid_dpop_proof") throw error;
    const servers = Date.parse(error.response.headers.get("date") ?? "");
    if (Number.isNaN(servers)) throw error;
    client[oauth.clockSkew] = Math.round((servers - Date.now()) / 1000);
    return request();
  }
}
