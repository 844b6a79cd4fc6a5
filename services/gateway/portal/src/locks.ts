/** Work that one tab does at a time. Browsers without Web Locks do it in each: then the server tells twice from once. */

export function alone<T>(name: string, work: () => Promise<T>): Promise<T> {
  return navigator.locks ? (navigator.locks.request(name, work) as Promise<T>) : work();
}
