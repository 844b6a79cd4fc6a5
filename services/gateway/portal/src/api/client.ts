/** Asks the API: addresses and answers are those of its document, tokens and languages go along. */

import type { paths } from "#document";
import { NoNetwork, refusalOf } from "./problems.ts";

type Json<Answer> = Answer extends { content: { "application/json": infer Body } } ? Body : never;
type Reads = { [P in keyof paths]: paths[P] extends { get: { responses: { 200: infer A } } } ? Json<A> : never };

/** An address that can be read, as the document writes it: `/v1/cases/{case_id}`. */
export type ReadPath = { [P in keyof paths]: Reads[P] extends never ? never : P }[keyof paths];
/** What reading it answers. */
export type AnswerOf<P extends ReadPath> = Reads[P];
type ParametersOf<P extends ReadPath> = paths[P] extends { get: { parameters: infer Named } } ? Named : never;
export type Where<P extends ReadPath> = Partial<
  Pick<ParametersOf<P>, Extract<"path" | "query", keyof ParametersOf<P>>>
>;

type Init = RequestInit & { headers?: Record<string, string> };

export interface Credentials {
  /** Gives an access token; another than the last one where that was refused. */
  token(isRefused?: boolean): Promise<string>;
  language(): string;
}

/** Fills in an address; what is undefined or null is left out. */
export function addressOf(path: string, where: { path?: object; query?: object | undefined } = {}): string {
  const filled = path.replace(/\{(\w+)\}/g, (_, name) => {
    return encodeURIComponent(String((where.path as Record<string, unknown>)[name]));
  });
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(where.query ?? {})) {
    for (const each of Array.isArray(value) ? value : [value]) if (each != null) query.append(name, String(each));
  }
  return String(query) !== "" ? `${filled}?${query}` : filled;
}

/** What a request that reaches nobody comes to; what was given up on purpose stays that. */
export function unreached(error: Error): never {
  throw error.name === "AbortError" ? error : new NoNetwork(error.message);
}

/** Gives what an answer holds, as JSON. Throws `NoNetwork` where it breaks off on its way. */
export function contentOf(answer: Response) {
  return answer.json().catch(unreached);
}

export class Api {
  private readonly credentials: Credentials;
  /** Milliseconds that the system's clock is ahead of this one, where that is more than a minute. */
  skew = 0;
  constructor(credentials: Credentials) {
    this.credentials = credentials;
  }

  /** Asks and gives the answer as it is if it is good, or 304. Throws `Refused`, `NoNetwork` and `SignInNeeded`. */
  async ask(address: string, init: Init = {}, isAgain = false): Promise<Response> {
    const token = await this.credentials.token(isAgain);
    const headers = {
      "Accept-Language": this.credentials.language(),
      ...init.headers,
      Authorization: `Bearer ${token}`,
    };
    const asked = fetch(address, { ...init, headers, credentials: "omit", cache: "no-store" });
    const answer = await asked.catch(unreached);
    const skew = Date.parse(answer.headers.get("date") ?? "") - Date.now();
    this.skew = Math.abs(skew) > 60_000 ? skew : 0;
    if (answer.ok || answer.status === 304) return answer;
    const refused = await refusalOf(answer);
    if (refused.code !== "token_invalid" || isAgain) throw refused;
    return this.ask(address, init, true);
  }

  async read<P extends ReadPath>(path: P, where: Where<P>): Promise<AnswerOf<P>> {
    return contentOf(await this.ask(addressOf(path, where)));
  }

  /** Sends at once what does not go through the outbox, under a key of its own: sent twice it is done once. */
  async send(method: "POST" | "PUT" | "DELETE", address: string, body: unknown, key: string): Promise<unknown> {
    const headers: Record<string, string> = { "Idempotency-Key": key };
    if (body != null) headers["Content-Type"] = "application/json";
    const answer = await this.ask(address, { method, headers, body: body == null ? null : JSON.stringify(body) });
    return answer.status === 204 ? null : contentOf(answer);
  }
}
