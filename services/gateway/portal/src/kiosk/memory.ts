/** What a phone's store would keep, for as long as somebody stands here: in the memory of the page, and nowhere else. */

import type { Database } from "../store/database.ts";

type Name = "subject" | "outbox" | "meta";
type Key = string | [string, string];
interface Keyed {
  op_id?: string;
  scope?: string;
  id?: string;
}

/** Gives what the screens use of a database; `clear` forgets a store of it, as there. */
export function inMemory(): Database {
  const stores = { subject: new Map(), outbox: new Map(), meta: new Map() };
  const put = async (name: Name, value: Keyed, key?: string): Promise<void> => {
    stores[name].set(String(key ?? value.op_id ?? [value.scope, value.id]), value);
  };
  const get = async (name: Name, key: Key) => stores[name].get(String(key));
  const used = {
    put,
    get,
    getAll: async (name: Name) => [...stores[name].values()],
    delete: async (name: Name, key: Key) => void stores[name].delete(String(key)),
    clear: async (name: Name) => stores[name].clear(),
    transaction: (name: Name) => ({
      store: { get: (key: Key) => get(name, key), put: (value: Keyed) => put(name, value) },
      done: Promise.resolve(),
    }),
  };
  return used as unknown as Database;
}
