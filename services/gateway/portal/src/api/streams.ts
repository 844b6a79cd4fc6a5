/** Answers that come piece by piece. */

/** Gives the lines of an answer as they come; when it breaks, those before it count. */
export async function* lines(answer: Response): AsyncGenerator<string> {
  const reader = answer.body?.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  try {
    for (;;) {
      const piece = await reader?.read().catch(() => undefined);
      if (piece === undefined || piece.done) return;
      const parts = (rest + decoder.decode(piece.value, { stream: true })).split("\n");
      rest = parts.pop() ?? "";
      yield* parts;
    }
  } finally {
    void reader?.cancel().catch(() => undefined);
  }
}

export interface ServerEvent {
  event: string;
  id: string;
  data: string;
}

/** Gives Server-Sent Events; of each the last id, name and data, which is what this system sends (one line of data). */
export async function* events(answer: Response): AsyncGenerator<ServerEvent> {
  let next = { event: "message", id: "", data: "" };
  for await (const line of lines(answer)) {
    const [, field, value] = /^(event|id|data): ?(.*?)\r?$/.exec(line) ?? [];
    if (field !== undefined) next = { ...next, [field]: value };
    else if (/^\r?$/.test(line)) {
      if (next.data !== "") yield next;
      next = { event: "message", id: next.id, data: "" };
    }
  }
}
