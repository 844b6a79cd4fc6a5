// The npm package openid-client, unmodified, against the running system.

import assert from "node:assert/strict";
import * as client from "openid-client";
import * as oauth from "oauth4webapi";
import { Browser, ok, readStandardInput } from "./browser.mjs";

const told = await readStandardInput();
const issuer = new URL(told.issuer);
const secure = { execute: [client.allowInsecureRequests, client.enableNonRepudiationChecks] };
const privateKey = await crypto.subtle.importKey(
  "jwk", told.privateKey, { name: "ECDSA", namedCurve: "P-256" }, false, ["sign"],
);
const discovered = (id, authentication) => client.discovery(issuer, id, undefined, authentication, secure);

async function signIn(config, scope = "openid profile") {
  const verifier = client.randomPKCECodeVerifier();
  const [state, nonce] = [client.randomState(), client.randomNonce()];
  const address = client.buildAuthorizationUrl(config, {
    redirect_uri: told.callback,
    scope,
    state,
    nonce,
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
  });
  const answer = await new Browser(told).walk(address, told.callback);
  return client.authorizationCodeGrant(config, answer, {
    pkceCodeVerifier: verifier,
    expectedState: state,
    expectedNonce: nonce,
    idTokenExpected: true,
  });
}

async function validated(config, accessToken) {
  const request = new Request(told.issuer, { headers: { authorization: `Bearer ${accessToken}` } });
  const options = { [oauth.allowInsecureRequests]: true, signingAlgorithms: ["ES256"] };
  return oauth.validateJwtAccessToken(config.serverMetadata(), request, told.audience, options);
}

const config = await discovered("public-web", client.None());
assert.equal(config.serverMetadata().issuer, told.issuer);
assert.ok(config.serverMetadata().supportsPKCE());
ok("discovery");

const tokens = await signIn(config);
const claims = tokens.claims();
assert.equal(claims.iss, told.issuer);
assert.equal(claims.preferred_username, told.username);
ok("code with PKCE, the ID token and its signature");

const person = await client.fetchUserInfo(config, tokens.access_token, claims.sub);
assert.equal(person.preferred_username, told.username);
ok("userinfo");

const access = await validated(config, tokens.access_token);
assert.equal(access.sub, claims.sub);
assert.equal(access.client_id, "public-web");
ok("access tokens as RFC 9068 says");

const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token);
assert.notEqual(refreshed.refresh_token, tokens.refresh_token);
ok("refresh");

const basic = await discovered("web-client_secret_basic", client.ClientSecretBasic(told.secret));
const own = await signIn(basic);
const introspected = await client.tokenIntrospection(basic, own.access_token);
assert.equal(introspected.active, true);
assert.equal(introspected.sub, claims.sub);
assert.equal((await client.tokenIntrospection(basic, own.refresh_token)).active, true);
assert.equal((await client.tokenIntrospection(basic, refreshed.access_token)).active, false);
ok("introspection");

await client.tokenRevocation(basic, own.refresh_token);
assert.equal((await client.tokenIntrospection(basic, own.access_token)).active, false);
await client.tokenRevocation(config, refreshed.refresh_token);
await assert.rejects(client.refreshTokenGrant(config, refreshed.refresh_token), { error: "invalid_grant" });
ok("revocation");

for (const [id, method, authentication] of [
  ["service-client_secret_basic", "client_secret_basic", client.ClientSecretBasic(told.secret)],
  ["service-client_secret_post", "client_secret_post", client.ClientSecretPost(told.secret)],
  ["service-private_key_jwt", "private_key_jwt", client.PrivateKeyJwt({ key: privateKey, kid: told.privateKey.kid })],
]) {
  const machine = await discovered(id, authentication);
  const alone = await client.clientCredentialsGrant(machine);
  assert.equal((await validated(machine, alone.access_token)).client_id, id);
  assert.equal(alone.refresh_token, undefined);
  ok(`client credentials by ${method}`);
}

const screen = await discovered("public-device", client.None());
const started = await client.initiateDeviceAuthorization(screen, { scope: "openid profile", device_label: "Hall" });
const approving = new Browser(told).walk(started.verification_uri_complete, undefined, { user_code: started.user_code });
assert.match(await approving, /Agreed/);
const given = await client.pollDeviceAuthorizationGrant(screen, started);
assert.equal(given.claims().sub, claims.sub);
assert.equal((await validated(screen, given.access_token)).client_id, "public-device");
ok("device");

const elsewhere = client.buildAuthorizationUrl(config, {
  redirect_uri: told.callback, scope: "openid", prompt: "none", state: "s",
  code_challenge: await client.calculatePKCECodeChallenge(client.randomPKCECodeVerifier()), code_challenge_method: "S256",
});
const refusal = await new Browser(told).walk(elsewhere, told.callback);
await assert.rejects(
  client.authorizationCodeGrant(config, refusal, { expectedState: "s" }), { error: "login_required" },
);
ok("a refusal comes back");
