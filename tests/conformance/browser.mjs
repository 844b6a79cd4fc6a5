// A browser just good enough for pages without script: cookies, redirects, and plain forms.

const unescaped = (text) =>
  text.replaceAll("&quot;", '"').replaceAll("&#34;", '"').replaceAll("&#39;", "'").replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");

export class Browser {
  #cookies = new Map();
  #answers;

  constructor({ username, password }) {
    this.#answers = { username, password, decision: "approve" };
  }

  /** Go to an address and answer each page that asks for something; give the address outside or the last page. */
  async walk(start, callback, extra = {}) {
    const answers = { ...this.#answers, ...extra };
    let response = await this.#send(start);
    for (let steps = 0; steps < 12; steps += 1) {
      const location = response.headers.get("location");
      if (location !== null) {
        const next = new URL(location, response.url);
        if (callback !== undefined && next.href.startsWith(callback)) return next;
        response = await this.#send(next);
        continue;
      }
      const html = await response.text();
      if (response.status !== 200) throw new Error(`${response.status} at ${response.url}: ${html}`);
      const form = this.#formFor(html, answers);
      if (form === undefined) return html;
      response = await this.#send(new URL(form.action, response.url), form.fields);
    }
    throw new Error("the pages do not come to an end");
  }

  #formFor(html, answers) {
    for (const [, action, inside] of html.matchAll(/<form method="post" action="([^"]*)"[^>]*>([\s\S]*?)<\/form>/g)) {
      const inputs = [...inside.matchAll(/<(?:input|button)\b[^>]*>/g)].map(([tag]) => ({
        name: /\bname="([^"]*)"/.exec(tag)?.[1],
        value: unescaped(/\bvalue="([^"]*)"/.exec(tag)?.[1] ?? ""),
        hidden: tag.includes('type="hidden"'),
      }));
      const fields = Object.fromEntries(inputs.filter(({ hidden }) => hidden).map(({ name, value }) => [name, value]));
      const wanted = inputs.filter(({ name, hidden }) => name !== undefined && !hidden).map(({ name }) => name);
      if (wanted.length > 0 && wanted.every((name) => name in answers)) {
        for (const name of wanted) fields[name] = answers[name];
        return { action: unescaped(action), fields };
      }
    }
    return undefined;
  }

  async #send(url, fields) {
    const response = await fetch(url, {
      method: fields === undefined ? "GET" : "POST",
      redirect: "manual",
      body: fields === undefined ? undefined : new URLSearchParams(fields),
      headers: { "accept-language": "en", cookie: [...this.#cookies].map(([name, value]) => `${name}=${value}`).join("; ") },
    });
    for (const line of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
      this.#cookies.set(name, value);
    }
    return response;
  }
}

export async function readStandardInput() {
  let text = "";
  for await (const chunk of process.stdin) text += chunk;
  return JSON.parse(text);
}

export const ok = (what) => console.log(`ok: ${what}`);
