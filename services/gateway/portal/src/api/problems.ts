/** Why a request was not done: a problem that the system told (RFC 9457), no network, or no sign-in. */

import type { components } from "#document";

export type ProblemDetails = components["schemas"]["Problem"];

export class Refused extends Error {
  readonly problem: Partial<ProblemDetails>;
  readonly status: number;
  constructor(problem: Partial<ProblemDetails>, status: number) {
    super(problem.title ?? String(status));
    this.problem = problem;
    this.status = status;
  }
  /** The last word of its type: a stable code. */
  get code(): string {
    return this.problem.type?.split("/").pop() ?? String(this.status);
  }
}

/** Nothing came back: there is no network, or nobody at its other end. */
export class NoNetwork extends Error {}

/** The sign-in has ended; what is stored stays, and nothing is sent until the person signs in. */
export class SignInNeeded extends Error {}

export type Trouble = Refused | NoNetwork | SignInNeeded;

/** Gives what somebody threw, if it is one of these; all else is a fault of ours and goes on. */
export function troubleOf(error: unknown): Trouble {
  if (error instanceof Refused || error instanceof NoNetwork || error instanceof SignInNeeded) return error;
  throw error;
}

export async function refusalOf(answer: Response): Promise<Refused> {
  const told = answer.headers.get("content-type")?.includes("json") ? await answer.json().catch(() => ({})) : {};
  return new Refused(told, answer.status);
}
