// The npm package oauth4webapi, unmodified, against the running system.

import assert from "node:assert/strict";
import * as oauth from "oauth4webapi";
import { Browser, ok, readStandardInput } from "./browser.mjs";

const told = await readStandardInput();
const issuer = new URL(told.issuer);
const http = { [oauth.allowInsecureRequests]: true };
const privateKey = await crypto.subtle.importKey(
  "jwk", told.privateKey, { name: "ECDSA", namedCurve: "P-256" }, false, ["sign"],
);

const server = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, http));
const metadata = await oauth.discoveryRequest(issuer, { ...http, algorithm: "oauth2" });
assert.equal((await oauth.processDiscoveryResponse(issuer, metadata)).token_endpoint, server.token_endpoint);
assert.deepEqual(server.code_challenge_methods_supported, ["S256"]);
ok("discovery");

async function signIn(client, authentication, options = http, named = {}) {
  const verifier = oauth.generateRandomCodeVerifier();
  const [state, nonce] = [oauth.generateRandomState(), oauth.generateRandomNonce()];
  const address = new URL(server.authorization_endpoint);
  address.search = new URLSearchParams({
    client_id: client.client_id,
    redirect_uri: told.callback,
    response_type: "code",
    scope: "openid profile",
    state,
    nonce,
    max_age: "600",
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
    ...named,
  });
  const answer = oauth.validateAuthResponse(server, client, await new Browser(told).walk(address, told.callback), state);
  const response = await oauth.authorizationCodeGrantRequest(
    server, client, authentication, answer, told.callback, verifier, options,
  );
  const tokens = await oauth.processAuthorizationCodeResponse(server, client, response, {
    expectedNonce: nonce, maxAge: 600, requireIdToken: true,
  });
  await oauth.validateApplicationLevelSignature(server, response, http);
  return { tokens, claims: oauth.getValidatedIdTokenClaims(tokens) };
}

async function validated(accessToken, audience = told.audience) {
  const request = new Request(told.issuer, { headers: { authorization: `Bearer ${accessToken}` } });
  return oauth.validateJwtAccessToken(server, request, audience, { ...http, signingAlgorithms: ["ES256"] });
}

const app = { client_id: "public-web" };
const { tokens, claims } = await signIn(app, oauth.None());
assert.equal(claims.preferred_username, told.username);
ok("code with PKCE, the ID token and its signature");

const access = await validated(tokens.access_token);
assert.equal(access.sub, claims.sub);
await assert.rejects(validated(tokens.access_token, "https://elsewhere.example.org"));
await assert.rejects(validated(tokens.id_token));
ok("access tokens as RFC 9068 says");

const person = await oauth.userInfoRequest(server, app, tokens.access_token, http);
assert.equal((await oauth.processUserInfoResponse(server, app, claims.sub, person)).sub, claims.sub);
ok("userinfo");

const rotated = await oauth.refreshTokenGrantRequest(server, app, oauth.None(), tokens.refresh_token, http);
const refreshed = await oauth.processRefreshTokenResponse(server, app, rotated);
const repeated = await oauth.refreshTokenGrantRequest(server, app, oauth.None(), tokens.refresh_token, http);
const again = await oauth.processRefreshTokenResponse(server, app, repeated);
assert.equal(again.refresh_token, refreshed.refresh_token); // for whom the first answer was lost
const next = await oauth.refreshTokenGrantRequest(server, app, oauth.None(), again.refresh_token, http);
const last = await oauth.processRefreshTokenResponse(server, app, next);
const replayed = await oauth.refreshTokenGrantRequest(server, app, oauth.None(), tokens.refresh_token, http);
await assert.rejects(oauth.processRefreshTokenResponse(server, app, replayed), { error: "invalid_grant" });
const ended = await oauth.refreshTokenGrantRequest(server, app, oauth.None(), last.refresh_token, http);
await assert.rejects(oauth.processRefreshTokenResponse(server, app, ended), { error: "invalid_grant" });
ok("refresh");

assert.deepEqual(server.dpop_signing_alg_values_supported, ["ES256"]);
const keyPair = () => oauth.generateKeyPair("ES256");
const proving = async (pair) => ({ ...http, DPoP: oauth.DPoP(app, await pair) });
const mine = keyPair();
const bound = (await signIn(app, oauth.None(), await proving(mine))).tokens;
assert.equal(bound.token_type, "bearer"); // as oauth4webapi writes it: services take it without a proof
const renew = async (token, options) =>
  oauth.processRefreshTokenResponse(
    server, app, await oauth.refreshTokenGrantRequest(server, app, oauth.None(), token, options),
  );
const withKey = await proving(mine);
await oauth.refreshTokenGrantRequest(server, app, oauth.None(), bound.refresh_token, withKey); // its answer is lost
for (let times = 0; times < 2; times += 1) {
  const renewed = await renew(bound.refresh_token, withKey);
  assert.equal(renewed.refresh_token, bound.refresh_token);
  assert.equal((await validated(renewed.access_token)).sub, claims.sub);
}
await assert.rejects(renew(bound.refresh_token, await proving(keyPair())), { error: "invalid_grant" });
await assert.rejects(renew(bound.refresh_token, http), { error: "invalid_grant" });
await renew(bound.refresh_token, await proving(mine)); // as after the front end was started again
const behind = { ...app, [oauth.clockSkew]: -120 };
const late = { ...http, DPoP: oauth.DPoP(behind, await mine) };
await assert.rejects(renew(bound.refresh_token, late), { error: "invalid_dpop_proof" });
const thumbprint = await oauth.DPoP(app, await mine).calculateThumbprint();
await signIn(app, oauth.None(), await proving(mine), { dpop_jkt: thumbprint });
await assert.rejects(signIn(app, oauth.None(), http, { dpop_jkt: thumbprint }), { error: "invalid_grant" });
await oauth.processRevocationResponse(
  await oauth.revocationRequest(server, app, oauth.None(), bound.refresh_token, http),
);
await assert.rejects(renew(bound.refresh_token, withKey), { error: "invalid_grant" });
ok("a refresh token bound by DPoP");

const post = { client_id: "web-client_secret_post" };
const bySecret = oauth.ClientSecretPost(told.secret);
const own = await signIn(post, bySecret);
async function introspected(token) {
  const response = await oauth.introspectionRequest(server, post, bySecret, token, http);
  return oauth.processIntrospectionResponse(server, post, response);
}
assert.equal((await introspected(own.tokens.access_token)).active, true);
assert.equal((await introspected("nonsense")).active, false);
ok("introspection");

await oauth.processRevocationResponse(
  await oauth.revocationRequest(server, post, bySecret, own.tokens.access_token, http),
);
assert.equal((await introspected(own.tokens.refresh_token)).active, false);
ok("revocation");

for (const [id, method, authentication] of [
  ["service-client_secret_basic", "client_secret_basic", oauth.ClientSecretBasic(told.secret)],
  ["service-client_secret_post", "client_secret_post", oauth.ClientSecretPost(told.secret)],
  ["service-private_key_jwt", "private_key_jwt", oauth.PrivateKeyJwt({ key: privateKey, kid: told.privateKey.kid })],
]) {
  const machine = { client_id: id };
  const response = await oauth.clientCredentialsGrantRequest(server, machine, authentication, {}, http);
  const alone = await oauth.processClientCredentialsResponse(server, machine, response);
  assert.equal((await validated(alone.access_token)).client_id, id);
  ok(`client credentials by ${method}`);
}

const screen = { client_id: "public-device" };
const asked = await oauth.deviceAuthorizationRequest(server, screen, oauth.None(), { scope: "openid profile" }, http);
const codes = await oauth.processDeviceAuthorizationResponse(server, screen, asked);
const poll = async () => {
  const response = await oauth.deviceCodeGrantRequest(server, screen, oauth.None(), codes.device_code, http);
  return oauth.processDeviceCodeResponse(server, screen, response);
};
await assert.rejects(poll(), { error: "authorization_pending" });
await assert.rejects(poll(), { error: "slow_down" });
assert.match(await new Browser(told).walk(codes.verification_uri, undefined, { user_code: codes.user_code }), /Agreed/);
const given = await poll();
assert.equal((await validated(given.access_token)).sub, claims.sub);
await assert.rejects(poll(), { error: "invalid_grant" });
ok("device");

const denied = new URL(server.authorization_endpoint);
denied.search = new URLSearchParams({
  client_id: "public-web", redirect_uri: told.callback, response_type: "code", scope: "openid", state: "s", prompt: "consent",
  code_challenge: await oauth.calculatePKCECodeChallenge(oauth.generateRandomCodeVerifier()), code_challenge_method: "S256",
});
const answer = await new Browser(told).walk(denied, told.callback, { decision: "deny" });
assert.throws(() => oauth.validateAuthResponse(server, app, answer, "s"), { error: "access_denied" });
ok("a refusal comes back");
