/**
 * What a promise resolves to, or a rejection once the time is over. Whoever made the promise has to see to it that
 * nothing comes of it afterwards.
 */
export async function within<T> (timeout: number, promise: T | Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`timed out after ${timeout} ms`)), timeout)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}
