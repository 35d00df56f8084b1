/** So many entries of the outbox that were given up are kept. */
export const keepFailed = 1_000
