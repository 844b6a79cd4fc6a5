// Asks the device for a passkey and puts its answer into the page's form. WebAuthn speaks in bytes, forms in text.
"use strict";

(() => {
  const form = document.getElementById("passkey-form");
  if (!form || !window.PublicKeyCredential) {
    return;
  }

  const toBytes = (text) => {
    const padded = text.replace(/-/g, "+").replace(/_/g, "/") + "=".repeat((4 - (text.length % 4)) % 4);
    return Uint8Array.from(atob(padded), (letter) => letter.charCodeAt(0));
  };

  const toText = (buffer) => {
    const letters = Array.from(new Uint8Array(buffer), (byte) => String.fromCharCode(byte)).join("");
    return btoa(letters).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  };

  const readable = (credential) => {
    const { response } = credential;
    const answer = { clientDataJSON: toText(response.clientDataJSON) };
    for (const part of ["attestationObject", "authenticatorData", "signature", "userHandle"]) {
      if (response[part] && !(part === "authenticatorData" && response.attestationObject)) {
        answer[part] = toText(response[part]);
      }
    }
    if (response.getTransports) {
      answer.transports = response.getTransports();
    }
    return { id: credential.id, rawId: toText(credential.rawId), type: credential.type, response: answer };
  };

  const options = JSON.parse(form.dataset.options);
  if (!options.challenge) {
    return;
  }
  options.challenge = toBytes(options.challenge);
  if (options.user) {
    options.user.id = toBytes(options.user.id);
  }
  for (const list of ["allowCredentials", "excludeCredentials"]) {
    options[list] = (options[list] || []).map((each) => ({ ...each, id: toBytes(each.id) }));
  }

  const failed = document.getElementById("passkey-failed");
  form.hidden = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    failed.hidden = true;
    try {
      const asked = { publicKey: options };
      const credential = options.user
        ? await navigator.credentials.create(asked)
        : await navigator.credentials.get(asked);
      form.elements.credential.value = JSON.stringify(readable(credential));
    } catch {
      failed.hidden = false;
      return;
    }
    form.submit();
  });
})();
