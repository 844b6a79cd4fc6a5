"use strict";
// Shows the merged document; "Authorize" signs in with the authorization code and PKCE as the client `docs`.
window.ui = SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  docExpansion: "none",
  filter: true,
  displayOperationId: true,
  validatorUrl: null,
  oauth2RedirectUrl: window.location.origin + "/docs/oauth2-redirect.html",
});
window.ui.initOAuth({
  clientId: "docs",
  scopes: "{SCOPES}",
  usePkceWithAuthorizationCodeGrant: true,
});
