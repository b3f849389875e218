/** Parameters of a request: nothing but what a route knows, once each, within bounds. */

/** An answer that is an error; the message is one sentence for whoever sent the request. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message)
  }
}

export class Query {
  readonly #values: ReadonlyMap<string, string>

  constructor(text: string, known: readonly string[]) {
    const values = new Map<string, string>()
    for (const [name, value] of new URLSearchParams(text)) {
      if (!known.includes(name)) throw new Refusal(400, `This address takes ${known.join(', ') || 'no parameters'}`)
      if (values.has(name)) throw new Refusal(400, `${name} is given twice`)
      values.set(name, value)
    }
    this.#values = values
  }

  text(name: string): string {
    const value = this.#values.get(name)
    if (value === undefined) throw new Refusal(400, `${name} is missing`)
    return value
  }

  /** Undefined where it is not given. */
  whole(name: string, least: number, most: number): number | undefined {
    const value = this.#values.get(name)
    if (value === undefined) return undefined
    if (!/^\d{1,15}$/.test(value) || Number(value) < least || Number(value) > most) {
      throw new Refusal(400, `${name} must be a whole number from ${least} to ${most}`)
    }
    return Number(value)
  }

  oneOf<Name extends string>(name: string, names: readonly Name[]): Name {
    const value = this.text(name)
    if (!names.includes(value as Name)) throw new Refusal(400, `${name} must be one of ${names.join(', ')}`)
    return value as Name
  }
}
