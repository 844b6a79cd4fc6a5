// Asks through the proxy in front of the gateway, from two addresses; says what each connection was and what was answered.

import { once } from "node:events";
import { connect, constants } from "node:http2";
import { connect as secured } from "node:tls";

let text = "";
for await (const chunk of process.stdin) text += chunk;
const told = JSON.parse(text);

async function asked(localAddress, times) {
  const socket = secured({ host: "127.0.0.1", port: told.port, servername: "localhost", ca: told.certificate, localAddress, ALPNProtocols: ["h2"] });
  await once(socket, "secureConnect");
  const session = connect(`https://localhost:${told.port}`, { createConnection: () => socket });
  const statuses = await Promise.all(Array.from({ length: times }, async (_, number) => {
    const request = session.request({ ":path": "/openapi.json?" + number, "x-forwarded-for": `203.0.113.${number}` });
    const [headers] = await once(request.resume(), "response");
    return headers[constants.HTTP2_HEADER_STATUS];
  }));
  session.close();
  return { protocol: socket.alpnProtocol, tls: socket.getProtocol(), statuses };
}

for (const address of ["127.0.0.1", "127.0.0.2"]) console.log(JSON.stringify(await asked(address, told.times)));
const plain = await fetch(`http://127.0.0.1:${told.plain}/app/`, { redirect: "manual", headers: { host: "localhost" } });
console.log(JSON.stringify({ status: plain.status, to: plain.headers.get("location") }));
