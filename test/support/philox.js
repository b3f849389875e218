// Philox 4×32-10 (Salmon, Moraes, Dror and Shaw 2011) in plain JavaScript: an oracle of what the core draws.

const mask = 0xffffffffn

/** The four words of a block, laid out as native/kernels/cpu/philox-inl.h says. */
export function philox({ seed, stream, step }, block) {
  const [s, t, b] = [BigInt(seed), BigInt(step), BigInt(block)]
  let c = [b & mask, BigInt(stream), t & mask, ((t >> 32n) & 0xffffn) | (((b >> 32n) & 0xffffn) << 16n)]
  let key = [s & mask, s >> 32n]
  for (let round = 0; round < 10; round++) {
    const [p0, p1] = [c[0] * 0xd2511f53n, c[2] * 0xcd9e8d57n]
    c = [(p1 >> 32n) ^ c[1] ^ key[0], p1 & mask, (p0 >> 32n) ^ c[3] ^ key[1], p0 & mask]
    key = [(key[0] + 0x9e3779b9n) & mask, (key[1] + 0xbb67ae85n) & mask]
  }
  return c.map(Number)
}
