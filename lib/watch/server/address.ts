/** An address of the server with its parameters: the page asks for it, a report keeps the answer under it. */
export function address(path: string, parameters: Readonly<Record<string, string | number>> = {}): string {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(parameters)) query.set(name, String(value))
  return query.size > 0 ? `${path}?${query}` : path
}
